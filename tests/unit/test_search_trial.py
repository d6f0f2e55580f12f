"""Which trial is the best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from search.trial import TrialRecord, best_of, leader_of


def trials(*found: tuple[float | None, int | None], **more: Any) -> list[TrialRecord]:
    """Trials that have ended, of each its value and how many validation images that is of."""
    return [
        TrialRecord(number=number, state="complete", params={}, value=value, val_images=part, **more)
        for number, (value, part) in enumerate(found)
    ]


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ([(0.5, None), (0.6, None), (0.6, None)], 1),
        ([(0.840, None), (0.842, 500)], 0),  # which may be as little as 0.826
        ([(0.840, None), (0.90, 500)], 1),
        ([(None, None), (0.0, 500)], 1),
    ],
)
def test_value_of_a_part_counts_a_standard_error_less(found: Any, best: int) -> None:
    leader = best_of(trials(*found), maximize=True)

    assert leader is not None
    assert leader.number == best


def test_smallest_loss_is_the_best() -> None:
    leader = best_of(trials((0.5, None), (0.4, 500), (2.0, None)), maximize=False)

    assert leader is not None
    assert leader.number == 1


def test_nobody_is_best_without_a_value() -> None:
    assert best_of(trials((None, None)), maximize=True) is None


def test_trial_that_is_trained_on_leads_but_its_weights_are_not_the_best_ones() -> None:
    waits, goes_on, lost = trials((0.5, None), (0.8, None), (0.9, None))
    found = [waits, replace(goes_on, state="running"), replace(lost, state="failed")]

    leader, best = leader_of(found, maximize=True), best_of(found, maximize=True)

    assert leader is not None
    assert best is not None
    assert (leader.number, best.number) == (1, 0)
