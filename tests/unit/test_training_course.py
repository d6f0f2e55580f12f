from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.training.course import Course, Stretch


def spans(course: Course, images: int = 0) -> list[tuple[int, int, int]]:
    return [(stretch.epoch, stretch.first, stretch.last) for stretch in course.stretches(images)]


@pytest.mark.parametrize(
    ("judge_at", "expected"),
    [
        ((), [(0, 0, 10), (1, 0, 10)]),
        ((30,), [(0, 0, 3), (0, 3, 10), (1, 0, 10)]),
        ((31,), [(0, 0, 4), (0, 4, 10), (1, 0, 10)]),  # at the end of the step that reaches it
        ((31, 38), [(0, 0, 4), (0, 4, 10), (1, 0, 10)]),  # one judgement for both
        ((94,), [(0, 0, 10), (1, 0, 10)]),  # only the last step reaches it
        ((95, 190), [(0, 0, 10), (1, 0, 10)]),  # the ends of epochs, anyway
        ((20, 115), [(0, 0, 2), (0, 2, 10), (1, 0, 2), (1, 2, 10)]),
    ],
)
def test_stretches_end_where_the_trial_is_judged(
    judge_at: tuple[int, ...], expected: list[tuple[int, int, int]]
) -> None:
    assert spans(Course(n_images=95, batch_size=10, epochs=2, judge_at=judge_at)) == expected


def test_batch_larger_than_the_data_is_judged_at_the_end_of_its_epoch() -> None:
    assert spans(Course(n_images=95, batch_size=1000, epochs=2, judge_at=(20,))) == [(0, 0, 1), (1, 0, 1)]


@pytest.mark.parametrize(
    ("images", "expected"),
    [(0, 0), (30, 0.3158), (95, 1), (125, 1.3158), (190, 2)],
)
def test_epochs_are_whole_at_their_ends(images: int, expected: float) -> None:
    epochs = Course(n_images=95, batch_size=10, epochs=2).epochs_at(images)

    assert epochs == expected
    assert isinstance(epochs, int) is (images % 95 == 0)


@pytest.mark.parametrize(
    ("images", "expected"),
    [(2048, 600), (2500, 600), (6016, 1200), (18_000, 3600), (0, 500)],
)
def test_part_to_judge_by_follows_the_rungs(images: int, expected: int) -> None:
    course = Course(n_images=100_000, batch_size=64, epochs=1, judge_at=(2000, 6000, 18_000))

    assert course.part_at(images) == expected


def test_part_to_judge_by_is_never_tiny() -> None:
    assert Course(n_images=1000, batch_size=64, epochs=1, judge_at=(100,)).part_at(128) == 500


@given(
    n_images=st.integers(1, 500),
    batch_size=st.integers(1, 600),
    epochs=st.integers(1, 4),
    judge_at=st.lists(st.integers(1, 2500), max_size=5),
)
def test_continued_course_is_the_rest_of_the_whole_one(
    n_images: int, batch_size: int, epochs: int, judge_at: list[int]
) -> None:
    course = Course(n_images=n_images, batch_size=batch_size, epochs=epochs, judge_at=tuple(sorted(judge_at)))
    whole = list(course.stretches(0))

    # Every step once, in order.
    steps = [(stretch.epoch, step) for stretch in whole for step in range(stretch.first, stretch.last)]
    assert steps == [(epoch, step) for epoch in range(epochs) for step in range(course.steps)]
    for number, stretch in enumerate(whole, 1):
        images = course.images_at(stretch.epoch, stretch.last)
        assert list(course.stretches(images)) == whole[number:]
        # Where it was paused before its evaluation, that comes first.
        missing = Stretch(epoch=stretch.epoch, first=stretch.last, last=stretch.last)
        assert list(course.stretches(images, is_judged=False)) == [missing, *whole[number:]]
    assert all(stretch.n_steps for stretch in whole)
    assert list(course.stretches(0, is_judged=False)) == whole
