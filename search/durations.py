"""Durations on the command line and on the screen."""

from __future__ import annotations

from search.errors import UsageError
from spaces.durations import seconds_of


def format_duration(seconds: float) -> str:
    """The two largest units, rounded down: `42s`, `3m 05s`, `2h 10m`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def format_limit(seconds: float) -> str:
    """A duration as a person would write it, exactly: `10m`, `1h 30m`, `2d`."""
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        count, seconds = divmod(seconds, size)
        parts += [f"{count:g}{unit}"] if count else []
    return " ".join([*parts, f"{seconds:g}s"] if seconds or not parts else parts)


def parse_option(name: str, text: str) -> float:
    """Seconds of a duration given as an option.

    Raises:
        UsageError: naming the option, if the text is no duration.
    """
    seconds = seconds_of(text)
    if seconds is None:
        raise UsageError(f"{name}: must be a number and s, m, h or d, such as 90s, 30m or 8h, but got {text!r}")
    return seconds


def format_epochs(number: float) -> str:
    """`1 epoch`, `2 epochs`, `0.15 epochs`."""
    return "1 epoch" if number == 1 else f"{round(number, 2):g} epochs"
