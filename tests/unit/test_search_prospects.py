from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.worker.forecast import Pace
from search.worker.prospects import SHARE, Field, bet, expected_improvement, outdoes_new
from search.worker.rungs import Score, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

LADDER = (2000, 6000, 18_000)
FAST = Pace(setup=0.5, per_image=1e-3)
SLOW = Pace(setup=0.5, per_image=1e-1)


def trial(number: int, *values: float, is_paused: bool = True, error: float = 0.01) -> Standing:
    """Judged at one rung after the other."""
    scores = tuple(
        Score(images=images, value=value, error=error) for images, value in zip((*LADDER, 36_000), values, strict=False)
    )
    return Standing(number=number, scores=scores, is_paused=is_paused, has_ended=False)


def dead(numbers: Iterable[int]) -> list[Standing]:
    return [Standing(number=n, scores=(), is_paused=False, has_ended=False, is_dead=True) for n in numbers]


def field(*standings: Standing, spent: float = 1000.0, paces: dict[int, Pace] | None = None) -> Field:
    known = {standing.number: FAST for standing in standings}
    return Field(
        standings=standings,
        ladder=LADDER,
        n_images=18_000,
        end=162_000,
        factor=3,
        paces={**known, **(paces or {})},
        spent=spent,
    )


def test_leader_goes_on_where_nobody_has_yet() -> None:
    assert bet(field(trial(0, 0.3), trial(1, 0.4))) == 1


def test_trial_takes_at_most_its_share_of_all_seconds() -> None:
    enough = FAST.per_image * 6000 / SHARE - FAST.seconds(4000)  # from 2,000 images to 6,000

    assert bet(field(trial(0, 0.4), spent=enough)) == 0
    assert bet(field(trial(0, 0.4), spent=enough - 0.01)) is None


def test_leader_that_rises_goes_on_before_new_ones() -> None:
    known = field(trial(0, 0.4, 0.7), trial(1, 0.1), trial(2, 0.1))

    assert bet(known) == 0


def test_new_trial_comes_before_a_leader_that_has_stopped_to_rise() -> None:
    others = [trial(number, value) for number, value in enumerate((0.5, 0.64, 0.65), 1)]
    flat = trial(0, 0.7, 0.7001, 0.7002)

    assert bet(field(flat, *others)) is None


def test_slow_leader_gives_way_to_new_trials_that_are_fast() -> None:
    slow, others = trial(0, 0.3, 0.5), [trial(number, 0.25, is_paused=False) for number in range(1, 10)]

    assert bet(field(slow, *others)) == 0
    assert bet(field(slow, *others, paces={0: SLOW}, spent=1e6)) is None


def test_of_two_leaders_the_one_with_more_gain_a_second_goes_on() -> None:
    # Both wait as the best of their rung; the higher one would gain more, but takes a hundred times as long.
    high, low = trial(0, 0.30, 0.50), trial(1, 0.45)
    risen = trial(2, 0.20, 0.40, is_paused=False)

    assert bet(field(high, low, risen)) in (0, 1)
    assert bet(field(high, low, risen, paces={0: SLOW}, spent=1e6)) == 1
    assert bet(field(high, low, risen, paces={1: SLOW}, spent=1e6)) == 0


def test_trial_outdoes_new_ones_as_long_as_it_rises() -> None:
    others = [trial(number, value) for number, value in enumerate((0.5, 0.64, 0.65), 1)]

    assert outdoes_new(field(trial(0, 0.4, 0.7), trial(1, 0.1), trial(2, 0.1)), 0)
    assert not outdoes_new(field(trial(0, 0.7, 0.7001, 0.7002), *others), 0)


def test_trial_that_rises_slowly_in_seconds_does_not_outdo_new_ones() -> None:
    slow, others = trial(0, 0.3, 0.5), [trial(number, 0.25, is_paused=False) for number in range(1, 10)]

    assert outdoes_new(field(slow, *others), 0)
    assert not outdoes_new(field(slow, *others, paces={0: SLOW}), 0)


def test_trial_is_promoted_where_nobody_knows_what_that_brings() -> None:
    known = field(trial(0, 0.4), trial(1, 0.3))

    assert outdoes_new(known, 0)
    assert outdoes_new(replace(field(trial(0, 0.4, 0.4001), trial(1, 0.3)), paces={1: FAST}), 0)


def test_of_two_equal_trials_the_one_that_is_less_certain_goes_on() -> None:
    leader, risen = trial(0, 0.30, 0.50, is_paused=False), trial(1, 0.20, 0.30, is_paused=False)
    sure, unsure = trial(2, 0.20, 0.40, error=0.0), trial(3, 0.20, 0.40, error=0.05)

    assert bet(field(leader, risen, sure, unsure)) == 3
    assert bet(field(leader, risen, sure, replace(sure, number=3))) == 2  # the older one


def test_trial_of_unknown_pace_is_no_bet() -> None:
    known = field(trial(0, 0.4))

    assert bet(replace(known, paces={})) is None


def test_nothing_to_bet_on() -> None:
    assert bet(field()) is None
    assert bet(field(trial(0, 0.4, is_paused=False))) is None


def test_dead_trials_make_new_ones_less_worth() -> None:
    leader = trial(0, 0.3, 0.5)
    good = [trial(number, 0.3, is_paused=False) for number in range(1, 10)]
    paces = {0: Pace(setup=0.5, per_image=1e-2)}

    assert bet(field(leader, *good, paces=paces)) is None
    assert bet(field(leader, *good, *dead(range(10, 100)), paces=paces)) == 0


def test_errors_fall_as_a_power_of_the_images_seen() -> None:
    # From a third of the images: 0.8 to 0.4 and 0.9 to 0.3, that is halved and divided by three.
    slopes = field(trial(0, 0.2, 0.6), trial(1, 0.1, 0.7)).slopes

    low, high = math.log(2) / math.log(3), 1.0
    assert [slope.mean for slope in slopes] == pytest.approx([(low + high) / 2] * 3)  # the others as the first
    assert [slope.spread for slope in slopes] == pytest.approx([(high - low) / 2] * 3)


def test_slope_of_a_trial_between_two_rungs_counts() -> None:
    at_two_epochs = trial(0, 0.2, 0.4, 0.6)
    scores = (*at_two_epochs.scores, Score(images=36_000, value=0.8))

    slopes = field(replace(at_two_epochs, scores=scores)).slopes

    assert slopes[2].mean == pytest.approx(1.0)  # from 0.4 to 0.2 with twice the images


def test_epochs_that_brought_nothing_make_the_slope_smaller() -> None:
    risen = trial(0, 0.2, 0.4, 0.6)
    still = tuple(Score(images=18_000 * epoch, value=0.6) for epoch in (2, 3, 4))

    before = field(replace(risen, scores=(*risen.scores, Score(images=36_000, value=0.7)))).slopes[2].mean
    after = field(replace(risen, scores=(*risen.scores, Score(images=36_000, value=0.7), *still[1:]))).slopes[2].mean

    assert after == pytest.approx(before / 2)  # the same rise over twice as many doublings
    assert field(replace(risen, scores=(*risen.scores, *still))).slopes[2].mean == 0.0


def test_nobody_goes_beyond_its_first_epoch_before_others_were_looked_at() -> None:
    leader, other = trial(0, 0.2, 0.5, 0.7), trial(1, 0.1, is_paused=False)

    assert bet(field(leader, other)) is None
    assert bet(field(leader, other, *dead([2]))) == 0
    assert bet(field(trial(0, 0.2, 0.5), other)) == 0  # within the first epoch


def test_batch_that_oversteps_its_rung_is_no_slope() -> None:
    waits = Score(images=2048, value=0.3)
    went_on = Score(images=6144, value=0.65)

    assert field(replace(trial(0, 0.3), scores=(waits,))).slopes == ()
    [slope, *_] = field(replace(trial(0, 0.3), scores=(waits, went_on))).slopes
    assert slope.mean == pytest.approx(math.log(2) / math.log(3))  # from 2,048 to 6,144


def test_losses_count_from_zero() -> None:
    losses = replace(field(trial(0, -4.0, -2.0)), ceiling=0.0)

    assert losses.slopes[0].mean == pytest.approx(math.log(2) / math.log(3))


def test_trial_at_chance_goes_on_while_it_is_cheap() -> None:
    # Two have learned; the third, of a network as fast, stands where all of them stood at first.
    learned = trial(0, 0.02, 0.4, 0.6, is_paused=False), trial(1, 0.03, 0.3, is_paused=False)
    known = field(*learned, trial(2, 0.02), *dead(range(3, 8)))

    assert bet(known) == 2
    assert bet(replace(known, paces={**known.paces, 2: SLOW}, spent=1e6)) is None


def test_bet_reaches_to_the_end_of_the_epoch_beyond_the_first() -> None:
    leader = trial(0, 0.4, 0.6, 0.7)  # one epoch done; the next rung is two epochs away
    enough = FAST.per_image * 36_000 / SHARE - FAST.seconds(18_000)

    assert bet(field(leader, *dead(range(1, 9)), spent=enough)) == 0
    assert bet(field(leader, *dead(range(1, 9)), spent=enough - 0.01)) is None


@pytest.mark.parametrize(
    ("mean", "spread", "best", "expected"),
    [(0.3, 0.0, 0.5, 0.2), (0.7, 0.0, 0.5, 0.0), (0.5, 0.5, 0.5, 0.07519), (0.9, 0.01, 0.1, 0.0)],
)
def test_expected_improvement(mean: float, spread: float, best: float, expected: float) -> None:
    assert expected_improvement(math.log(mean), spread, best) == pytest.approx(expected, abs=1e-4)


def test_expected_improvement_is_the_mean_over_draws() -> None:
    chance = random.Random(0)
    draws = [max(0.0, 0.3 - math.exp(chance.gauss(math.log(0.4), 0.4))) for _ in range(100_000)]

    assert expected_improvement(math.log(0.4), 0.4, 0.3) == pytest.approx(statistics.fmean(draws), rel=0.03)


curves = st.lists(st.floats(0, 1), max_size=4)


@given(st.lists(st.tuples(curves, st.booleans(), st.booleans()), max_size=12), st.floats(0, 1e4))
def test_bet_is_always_on_a_paused_trial(trials: list[tuple[list[float], bool, bool]], spent: float) -> None:
    standings = [
        replace(trial(number, *values, is_paused=is_paused and bool(values)), is_dead=is_dead and not is_paused)
        for number, (values, is_paused, is_dead) in enumerate(trials)
    ]

    number = bet(field(*standings, spent=spent))

    assert number is None or standings[number].is_paused
