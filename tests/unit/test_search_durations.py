from __future__ import annotations

import pytest

from search.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28800), ("1h30m", 5400), ("0.5s", 0.5)]
)
def test_duration_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-5m", "5x", "1e3s"])
def test_duration_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is a number and s, m, h or d"):
        parse_duration(text)


def test_duration_of_nothing() -> None:
    with pytest.raises(ValueError, match="longer than nothing, but got '0s'"):
        parse_duration("0s")


@pytest.mark.parametrize(("seconds", "text"), [(42.9, "42s"), (185, "3m 05s"), (7800, "2h 10m"), (-1, "0s")])
def test_duration_for_reading(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
