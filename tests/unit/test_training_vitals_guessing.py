from __future__ import annotations

import math

import pytest

from search.training.vitals.guessing import Guessing


def test_guessing_among_equal_classes_is_the_logarithm_of_their_number():
    guessing = Guessing.of([10] * 47)

    assert guessing.loss == pytest.approx(math.log(47))
    assert guessing.accuracy == pytest.approx(1 / 47)


def test_guessing_among_unequal_classes_is_easier():
    guessing = Guessing.of([3, 1, 0])

    assert guessing.loss == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert guessing.accuracy == 0.75


@pytest.mark.parametrize(
    ("n_classes", "accuracy", "is_beaten"),
    [(47, 0.06, False), (47, 0.07, True), (10, 0.29, False), (10, 0.31, True), (2, 0.6, False), (2, 0.63, True)],
)
def test_guessing_is_beaten_by_far_or_not_at_all(n_classes, accuracy, is_beaten):
    assert Guessing.of([10] * n_classes).is_beaten(accuracy) is is_beaten
