from __future__ import annotations

import pytest

from search.durations import format_duration, format_limit, parse_option
from search.errors import UsageError


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28800), ("1h30m", 5400)])
def test_duration_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_option("--timeout", text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-5m", "5x", "1e3s", "0s"])
def test_duration_that_is_none(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_option("--timeout", text)

    assert str(raised.value) == (
        f"--timeout: must be a number and s, m, h or d, such as 90s, 30m or 8h, but got {text!r}"
    )


@pytest.mark.parametrize(("seconds", "text"), [(42.9, "42s"), (185, "3m 05s"), (7800, "2h 10m"), (-1, "0s")])
def test_duration_for_reading(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(600, "10m"), (5400, "1h 30m"), (28_800, "8h"), (90, "1m 30s"), (172_800, "2d"), (0.5, "0.5s")],
)
def test_limit_is_written_exactly(seconds: float, text: str) -> None:
    assert format_limit(seconds) == text
