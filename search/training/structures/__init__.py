"""Networks that are traced once and trained many times: kept by structure, reset for each trial."""

from __future__ import annotations
