"""The one word that every module here shares."""

from __future__ import annotations

Shape = tuple[int, int, int]
"""Height, width, channels of one image."""
