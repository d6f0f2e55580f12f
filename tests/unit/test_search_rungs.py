from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.worker.rungs import (
    Score,
    Standing,
    is_promoted,
    next_judgement,
    promotable,
    rungs,
)

LADDER = (1, 3, 9)


def scores(values: tuple[float, ...]) -> tuple[Score, ...]:
    """One judgement after each image."""
    return tuple(Score(images=images, value=value) for images, value in enumerate(values, 1))


def paused(number: int, *values: float) -> Standing:
    return Standing(number=number, scores=scores(values), is_paused=True, has_ended=False)


def running(number: int, *values: float) -> Standing:
    return Standing(number=number, scores=scores(values), is_paused=False, has_ended=False)


def ended(number: int, *values: float) -> Standing:
    return Standing(number=number, scores=scores(values), is_paused=False, has_ended=True)


def dead(number: int, *values: float) -> Standing:
    return Standing(number=number, scores=scores(values), is_paused=False, has_ended=False, is_dead=True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((1500, 13_500, 50, 3), (1500, 4500, 13_500, 40_500, 121_500, 364_500)),  # a ninth of the first epoch first
        ((1500, 3600, 9, 3), (3600, 10_800)),  # a third of it is too little
        ((1500, 3600, 9, 2), (1800, 3600, 7200, 14_400, 28_800)),
        ((1500, 10_000, 3, 3), (3333, 10_000)),
        ((1500, 500, 50, 3), (1500, 4500, 13_500)),  # epochs 3, 9 and 27
        ((1500, 100, 27, 3), (1500,)),
        ((1500, 100, 9, 3), ()),
        ((1500, 100_000, 1, 3), (3704, 11_111, 33_333)),
        ((100, 150, 2, 2), (150,)),  # half of the first epoch is too little
        ((5000, 1000, 5, 3), ()),  # the first rung is the end itself
    ],
)
def test_rungs_in_images(arguments: tuple[int, int, int, int], expected: tuple[int, ...]) -> None:
    assert rungs(*arguments) == expected


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 30), st.integers(2, 6))
def test_rungs_ascend_and_stay_below_the_end(min_images: int, n_images: int, epochs: int, factor: int) -> None:
    found = rungs(min_images, n_images, epochs, factor)

    assert list(found) == sorted(set(found))
    assert all(rung < epochs * n_images for rung in found)
    assert all(rung >= min_images for rung in found)
    assert all(rung % n_images == 0 for rung in found if rung >= n_images)


def test_value_at_a_rung_that_a_large_batch_overshoots() -> None:
    over = Standing(
        number=0,
        scores=(Score(images=2048, value=0.3, is_partial=True), Score(images=8192, value=0.5)),
        is_paused=True,
        has_ended=False,
    )

    assert over.value_at(2000) == 0.3
    assert over.value_at(6000) == 0.5
    assert over.value_at(9000) is None


def test_value_of_the_whole_part_comes_before_a_better_one_of_a_part() -> None:
    one = Standing(
        number=0,
        scores=(Score(images=2000, value=0.6, is_partial=True), Score(images=4000, value=0.5)),
        is_paused=True,
        has_ended=False,
    )

    assert (one.value_at(2000), one.value_at(4000)) == (0.6, 0.5)


@pytest.mark.parametrize(("images", "expected"), [(0, 2000), (2048, 6000), (6016, 13_500), (13_500, 27_000)])
def test_next_judgement_is_a_rung_or_the_end_of_an_epoch(images: int, expected: int) -> None:
    assert next_judgement(images, (2000, 6000, 13_500, 54_000), 13_500) == expected


def test_promotion_with_too_few_at_rung() -> None:
    assert promotable([paused(0, 0.5), paused(1, 0.6)], LADDER, 3) is None


def test_promotion_takes_best_third() -> None:
    assert promotable([paused(0, 0.5), paused(1, 0.7), paused(2, 0.6)], LADDER, 3) == 1


@pytest.mark.parametrize(("behind", "promoted"), [(0.69, True), (0.67, True), (0.65, False)])
def test_trial_within_a_standard_error_of_the_cut_is_kept(behind: float, promoted: bool) -> None:
    def judged(number: int, value: float) -> Standing:
        score = Score(images=1, value=value, error=0.03)  # of the difference: 0.042
        return Standing(number=number, scores=(score,), is_paused=number == 1, has_ended=False)

    standings = [judged(0, 0.7), judged(1, behind), judged(2, 0.5)]

    assert promotable(standings, LADDER, 3) == (1 if promoted else None)
    assert is_promoted(1, standings, LADDER, 3) is promoted


def test_dead_trial_is_close_to_nobody() -> None:
    standings = [dead(0), dead(1), dead(2), dead(3)]

    assert promotable(standings, LADDER, 3) is None


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
    assert promotable([dead(0), paused(1, 0.1), dead(2)], LADDER, 3) == 1


def test_trial_that_died_after_a_good_start_is_the_worst_where_it_has_been() -> None:
    standings = [dead(0, 0.9), paused(1, 0.1), paused(2, 0.2)]

    assert promotable(standings, LADDER, 3) == 2  # at rung 1, which the dead one has passed


def test_dead_trial_counts_at_the_rung_it_was_under_way_to_and_no_further() -> None:
    first = paused(0, 0.5, 0.5, 0.5)

    assert promotable([first, dead(1), dead(2), dead(3)], LADDER, 3) is None  # none of them came near rung 3
    assert promotable([first, dead(1, 0.1), dead(2, 0.1)], LADDER, 3) == 0  # those had been promoted towards it


def test_running_trial_is_promoted_at_its_rung() -> None:
    standings = [paused(0, 0.5), paused(1, 0.6), running(2, 0.7)]

    assert is_promoted(2, standings, LADDER, 3)
    assert not is_promoted(1, standings, LADDER, 3)


def test_trial_between_two_rungs_is_held_to_the_lower_one() -> None:
    between = running(0, 0.5, 0.9)  # at two images; rungs are at one and three

    assert not is_promoted(0, [between, paused(1, 0.6), paused(2, 0.4)], LADDER, 3)
    assert is_promoted(0, [between, paused(1, 0.4), paused(2, 0.4)], LADDER, 3)
    assert not is_promoted(0, [Standing(number=0, scores=(), is_paused=False, has_ended=False)], LADDER, 3)


curves = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(st.lists(st.tuples(curves, st.sampled_from(["paused", "running", "ended"])), max_size=20), st.booleans())
def test_promotion_only_ever_takes_a_paused_trial(trials: list[tuple[list[float], str]], is_last_call: bool) -> None:
    standings = [
        Standing(number=n, scores=scores(tuple(v)), is_paused=kind == "paused", has_ended=kind == "ended")
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
                stands_here = max((r for r in LADDER if r <= best.images), default=None) == rung
                assert not (best.is_paused and stands_here)
