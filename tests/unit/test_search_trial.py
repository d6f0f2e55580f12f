"""Which trial is the best."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from search.trial import TrialRecord, best_of, leader_of, value_of


def trials(*values: float | None) -> list[TrialRecord]:
    """Trials that have ended with these values."""
    return [TrialRecord(number=number, state="complete", params={}, value=value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "best"), [((0.5, 0.6, 0.6), 1), ((0.840, 0.842), 1), ((None, 0.0), 1), ((0.3, None, None), 0)]
)
def test_largest_value_is_the_best(values: Any, best: int) -> None:
    leader = best_of(trials(*values), maximize=True)

    assert leader is not None
    assert leader.number == best


@pytest.mark.parametrize(
    ("curve", "maximize", "value"),
    [
        ([], True, None),
        ([{"loss": 1.0}], True, None),
        ([{"m": 0.5}, {"m": 0.7}, {"m": 0.6}], True, 0.7),
        ([{"m": 0.5}, {"m": 0.7}, {"m": 0.4}], False, 0.4),
        ([{"m": 0.9, "val_images": 400}], True, 0.9 - math.sqrt(0.9 * 0.1 / 400)),
        ([{"m": 0.9, "val_images": 400}, {"m": 0.8}], True, 0.8),  # all the images count before a part of them
        ([{"m": 0.2, "val_images": 400}], False, 0.2),  # the standard error of a loss is not known
        ([{"m": 1.0, "val_images": 400}], True, 1.0),
    ],
)
def test_value_of_a_curve(curve: Any, maximize: bool, value: float | None) -> None:
    assert value_of(curve, "m", maximize=maximize) == value


def test_smallest_loss_is_the_best() -> None:
    leader = best_of(trials(0.5, 0.4, 2.0), maximize=False)

    assert leader is not None
    assert leader.number == 1


def test_nobody_is_best_without_a_value() -> None:
    assert best_of(trials(None), maximize=True) is None


def test_trial_that_is_trained_on_leads_but_its_weights_are_not_the_best_ones() -> None:
    waits, goes_on, lost = trials(0.5, 0.8, 0.9)
    found = [waits, replace(goes_on, state="running"), replace(lost, state="failed")]

    leader, best = leader_of(found, maximize=True), best_of(found, maximize=True)

    assert leader is not None
    assert best is not None
    assert (leader.number, best.number) == (1, 0)
