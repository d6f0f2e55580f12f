"""Seeds that follow from seeds."""

from __future__ import annotations

import hashlib


def derived_seed(*parts: int | str) -> int:
    """A seed in [0, 2**31) that depends on every part: sha256, the same on every machine."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 2**31
