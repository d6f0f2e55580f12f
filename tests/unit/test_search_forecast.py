from __future__ import annotations

import pytest

from search.trial import TrialRecord
from search.worker.forecast import Pace, fits, pace_of


def trained(number: int, architecture: str, images: int, **seconds: float) -> TrialRecord:
    return TrialRecord(
        number=number, state="paused", params={"architecture": architecture}, value=0.5,
        curve=({"epoch": 1, "images": images},), seconds={**seconds, "total": sum(seconds.values())},
    )  # fmt: skip


TRIALS = [
    trained(0, "LeNet5", 1000, setup=3.0, train=8.0, validate=2.0),
    trained(1, "LeNet5", 4000, setup=0.5, train=60.0, checkpoint=20.0),
    trained(2, "LeNet5", 100, setup=4.0, train=1.2),
    trained(3, "VGG16", 0, setup=9.0),  # gave nothing to tell by
    TrialRecord(number=4, state="running", params={"architecture": "LeNet5"}, value=None),
]


def test_pace_is_shortest_setup_and_median_rate() -> None:
    assert pace_of("LeNet5", TRIALS) == Pace(setup=0.5, per_image=pytest.approx(0.012))
    assert pace_of("VGG16", TRIALS) is None


@pytest.mark.parametrize(
    ("architecture", "seconds_left", "expected"),
    [("LeNet5", 24.6, True), ("LeNet5", 24.4, False), ("LeNet5", None, True), ("VGG16", 0.1, True)],
)
def test_point_fits_where_its_next_judgement_comes_in_time(
    architecture: str, seconds_left: float | None, expected: bool
) -> None:
    assert fits({"architecture": architecture}, TRIALS, seconds_left, 2000) is expected
