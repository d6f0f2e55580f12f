"""Durations as people write them: `90s`, `30m`, `8h`, `2d`, `1h30m`."""

from __future__ import annotations

import re

MAX_SECONDS = 3650 * 86400.0

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([smhd])")


def seconds_of(text: str) -> float | None:
    """The seconds of a duration; None where the text is none, or is not from 1 s to ten years."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return seconds if 1.0 <= seconds <= MAX_SECONDS else None
