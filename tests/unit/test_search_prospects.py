from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.worker.forecast import Pace
from search.worker.prospects import SHARE, Field, bet, expected_improvement
from search.worker.rungs import Score, Standing

LADDER = (2000, 6000, 18_000)
FAST = Pace(setup=0.5, per_image=1e-3)
SLOW = Pace(setup=0.5, per_image=1e-1)


def trial(number: int, *values: float, is_paused: bool = True, error: float = 0.01) -> Standing:
    """Judged at one rung after the other."""
    scores = tuple(
        Score(images=images, value=value, error=error) for images, value in zip((*LADDER, 54_000), values, strict=False)
    )
    return Standing(number=number, scores=scores, is_paused=is_paused, has_ended=False)


def field(*standings: Standing, spent: float = 1000.0, paces: dict[int, Pace] | None = None) -> Field:
    known = {standing.number: FAST for standing in standings}
    return Field(
        standings=standings, ladder=LADDER, end=54_000, factor=3, paces={**known, **(paces or {})}, spent=spent
    )


def test_leader_goes_on_where_nobody_has_yet() -> None:
    assert bet(field(trial(0, 0.3), trial(1, 0.4)), may_begin=True) == 1


def test_bet_costs_at_most_half_of_what_was_spent() -> None:
    needed = FAST.seconds(4000)

    assert bet(field(trial(0, 0.4), spent=needed / SHARE), may_begin=True) == 0
    assert bet(field(trial(0, 0.4), spent=needed / SHARE - 0.01), may_begin=True) is None


def test_leader_that_rises_goes_on_before_new_ones() -> None:
    known = field(trial(0, 0.4, 0.7), trial(1, 0.1), trial(2, 0.1))

    assert bet(known, may_begin=True) == 0


def test_new_trial_comes_before_a_leader_that_has_stopped_to_rise() -> None:
    others = [trial(number, value) for number, value in enumerate((0.5, 0.64, 0.65), 1)]
    flat = trial(0, 0.7, 0.7001, 0.7002)

    assert bet(field(flat, *others), may_begin=True) is None
    assert bet(field(flat, *others), may_begin=False) == 0  # better than waiting


def test_slow_leader_gives_way_to_new_trials_that_are_fast() -> None:
    slow, others = trial(0, 0.3, 0.5), [trial(number, 0.1) for number in range(1, 4)]

    assert bet(field(slow, *others), may_begin=True) == 0
    assert bet(field(slow, *others, paces={0: SLOW}, spent=1e6), may_begin=True) is None


def test_of_two_leaders_the_one_with_more_gain_a_second_goes_on() -> None:
    # Both wait as the best of their rung; the higher one would gain more, but takes a hundred times as long.
    high, low = trial(0, 0.30, 0.50), trial(1, 0.45)
    risen = trial(2, 0.20, 0.40, is_paused=False)

    assert bet(field(high, low, risen), may_begin=False) in (0, 1)
    assert bet(field(high, low, risen, paces={0: SLOW}, spent=1e6), may_begin=False) == 1
    assert bet(field(high, low, risen, paces={1: SLOW}, spent=1e6), may_begin=False) == 0


def test_trial_of_unknown_pace_is_no_bet() -> None:
    known = field(trial(0, 0.4))

    assert bet(replace(known, paces={}), may_begin=False) is None


def test_nothing_to_bet_on() -> None:
    assert bet(field(), may_begin=True) is None
    assert bet(field(trial(0, 0.4, is_paused=False)), may_begin=True) is None


def test_dead_trials_make_new_ones_less_worth() -> None:
    leader = trial(0, 0.3, 0.5)
    good = [trial(number, 0.3, is_paused=False) for number in (1, 2, 3)]
    dead = [Standing(number=n, scores=(), is_paused=False, has_ended=False, is_dead=True) for n in range(4, 60)]
    paces = {0: Pace(setup=0.5, per_image=5e-3)}

    assert bet(field(leader, *good, paces=paces), may_begin=True) is None
    assert bet(field(leader, *good, *dead, paces=paces), may_begin=True) == 0


def test_rises_halve_where_nobody_has_been() -> None:
    rises = field(trial(0, 0.2, 0.4), trial(1, 0.1, 0.5)).rises

    assert [rise.mean for rise in rises] == pytest.approx([0.3, 0.15, 0.075])
    assert [rise.spread for rise in rises] == pytest.approx([0.1, 0.05, 0.025])


@pytest.mark.parametrize(("mean", "spread", "expected"), [(0.2, 0.0, 0.2), (-0.2, 0.0, 0.0), (0.0, 0.5, 0.199471)])
def test_expected_improvement(mean: float, spread: float, expected: float) -> None:
    assert expected_improvement(mean, spread) == pytest.approx(expected, abs=1e-6)


curves = st.lists(st.floats(0, 1), max_size=4)


@given(st.lists(st.tuples(curves, st.booleans(), st.booleans()), max_size=12), st.booleans(), st.floats(0, 1e4))
def test_bet_is_always_on_a_paused_trial(
    trials: list[tuple[list[float], bool, bool]], may_begin: bool, spent: float
) -> None:
    standings = [
        replace(trial(number, *values, is_paused=is_paused and bool(values)), is_dead=is_dead and not is_paused)
        for number, (values, is_paused, is_dead) in enumerate(trials)
    ]

    number = bet(field(*standings, spent=spent), may_begin=may_begin)

    assert number is None or standings[number].is_paused
