from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.worker.rungs import Standing, is_promoted_at, promotable, rungs

LADDER = (1, 3, 9)


def paused(number: int, *values: float) -> Standing:
    return Standing(number=number, values=values, is_paused=True, has_ended=False)


def running(number: int, *values: float) -> Standing:
    return Standing(number=number, values=values, is_paused=False, has_ended=False)


def ended(number: int, *values: float) -> Standing:
    return Standing(number=number, values=values, is_paused=False, has_ended=True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((1, 50, 3), (1, 3, 9, 27)),
        ((1, 27, 3), (1, 3, 9)),  # the last rung is the end itself
        ((2, 9, 2), (2, 4, 8)),
        ((5, 5, 3), ()),
    ],
)
def test_rungs_stay_below_end(arguments: tuple[int, int, int], expected: tuple[int, ...]) -> None:
    assert rungs(*arguments) == expected


def test_promotion_with_too_few_at_rung() -> None:
    assert promotable([paused(0, 0.5), paused(1, 0.6)], LADDER, 3) is None


def test_promotion_takes_best_third() -> None:
    assert promotable([paused(0, 0.5), paused(1, 0.7), paused(2, 0.6)], LADDER, 3) == 1


def test_promotion_when_best_went_on_already() -> None:
    standings = [paused(0, 0.5), running(1, 0.7, 0.8), paused(2, 0.6)]

    assert promotable(standings, LADDER, 3) is None


def test_promotion_prefers_highest_rung() -> None:
    low = [paused(number, 0.1 * number) for number in range(6)]
    high = [paused(number, 0.9, 0.9, 0.9 + 0.01 * number) for number in range(6, 9)]

    assert promotable([*low, *high], LADDER, 3) == 8


def test_last_call_promotes_best_of_two() -> None:
    standings = [paused(0, 0.5), paused(1, 0.6)]

    assert promotable(standings, LADDER, 3, is_last_call=True) == 1


def test_early_stopped_trial_counts_at_later_rungs() -> None:
    early = ended(0, 0.2, 0.95)  # stopped at epoch 2, better than all the others at epoch 3
    others = [paused(1, 0.5, 0.5, 0.6), paused(2, 0.5, 0.5, 0.5)]

    assert promotable([early, *others], LADDER, 3) is None
    assert promotable([ended(0, 0.2, 0.3), *others], LADDER, 3) == 1


def test_trial_without_any_value_counts_as_worst() -> None:
    assert promotable([ended(0), paused(1, 0.1), ended(2)], LADDER, 3) == 1


def test_running_trial_is_promoted_at_its_rung() -> None:
    standings = [paused(0, 0.5), paused(1, 0.6), running(2, 0.7)]

    assert is_promoted_at(2, 1, standings, 3)
    assert not is_promoted_at(1, 1, standings, 3)


curves = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(st.lists(st.tuples(curves, st.sampled_from(["paused", "running", "ended"])), max_size=20), st.booleans())
def test_promotion_only_ever_takes_a_paused_trial(trials: list[tuple[list[float], str]], is_last_call: bool) -> None:
    standings = [
        Standing(number=n, values=tuple(v), is_paused=kind == "paused", has_ended=kind == "ended")
        for n, (v, kind) in enumerate(trials)
    ]

    number = promotable(standings, LADDER, 3, is_last_call=is_last_call)

    waiting = {standing.number for standing in standings if standing.is_paused}
    assert number is None or number in waiting
    if is_last_call and number is None:
        # Nobody waits at a rung as the best of all that have reached it.
        for rung in LADDER:
            reached = [s for s in standings if s.value_at(rung) is not None]
            if reached:
                best = max(reached, key=lambda s: (s.value_at(rung), -s.number))
                stands_here = max((r for r in LADDER if r <= len(best.values)), default=None) == rung
                assert not (best.is_paused and stands_here)
