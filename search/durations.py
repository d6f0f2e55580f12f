"""Durations as people write them: `90s`, `30m`, `8h`."""

from __future__ import annotations

import re

from search.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `90s`, `30m`, `8h` or `1h30m`.

    Raises:
        ValueError: if the text is no duration, or is zero.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"a duration is a number and s, m, h or d, such as 90s, 30m or 8h, but got {text!r}")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"a duration must be longer than nothing, but got {text!r}")
    return seconds


def format_duration(seconds: float) -> str:
    """The two largest units, rounded down: `42s`, `3m 05s`, `2h 10m`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def parse_option(name: str, text: str) -> float:
    """Seconds of a duration given as an option; raises UsageError naming the option."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error
