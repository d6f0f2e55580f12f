"""The validation cut: stratified, disjoint, seeded, and the same on every machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.training.data.errors import DataError
from search.training.data.split import by_class, cut

LABELS = np.repeat(np.arange(10), 400)
NAMES = tuple("0123456789")


def parts(labels=LABELS, names=NAMES, validation=0.1, train_limit=None, seed=0):
    return cut(labels, names, validation=validation, train_limit=train_limit, seed=seed)


def test_cut_is_stratified_and_covers_all():
    train, validation = parts()

    assert np.bincount(LABELS[validation]).tolist() == [40] * 10
    assert sorted([*train, *validation]) == list(range(4000))
    assert train.tolist() == sorted(train)


def test_cut_by_seed():
    assert np.array_equal(parts(seed=3)[1], parts(seed=3)[1])
    assert not np.array_equal(parts(seed=3)[1], parts(seed=4)[1])


def test_cut_is_the_same_everywhere():
    # The definition in the module's docstring once more, in plain Python integers.
    def number(seed, position):
        mask = 2**64 - 1
        state = (seed + (position + 1) * 0x9E3779B97F4A7C15) & mask
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & mask
        return state ^ state >> 31

    ordered = sorted(range(4000), key=lambda position: number(7, position))
    of_class = [[position for position in ordered if LABELS[position] == label] for label in range(10)]
    expected = sorted(position for members in of_class for position in members[:40])

    _, validation = parts(seed=7)

    assert validation.tolist() == expected
    assert number(0, 0) == 0xE220A8397B1DCDAF  # first number of SplitMix64 from 0, as published


def test_order_looks_random():
    order = np.concatenate(by_class(np.zeros(10_000, np.int64), 1, 0))

    assert abs(np.corrcoef(order, np.arange(10_000))[0, 1]) < 0.05
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.05


def test_order_by_class_is_that_of_each_class_alone():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 2, 3], [50, 1, 20]))
    order = np.concatenate(by_class(np.zeros(71, np.int64), 1, 5))

    assert [own.tolist() for own in by_class(labels, 5, 5)] == [
        [position for position in order if labels[position] == label] for label in range(5)
    ]


def test_train_limit_is_stratified_and_keeps_validation():
    whole, validation = parts()
    train, same = parts(train_limit=105)

    assert np.array_equal(validation, same)
    assert len(train) == 105
    assert set(train) <= set(whole)
    assert set(np.bincount(LABELS[train])) == {10, 11}


def test_train_limit_above_what_there_is():
    assert np.array_equal(parts(train_limit=10**9)[0], parts()[0])


def test_train_limit_below_the_classes():
    with pytest.raises(DataError) as caught:
        parts(train_limit=9)

    assert str(caught.value) == ("train_limit must leave an image of each class, but got 9 for 10 classes; raise it")


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_validation_out_of_range(share):
    with pytest.raises(DataError, match="a share between 0 and 1"):
        parts(validation=share)


@given(
    counts=st.lists(st.integers(2, 60), min_size=2, max_size=12),
    validation=st.floats(0.001, 0.999),
    seed=st.integers(-(2**70), 2**70),
)
def test_cut_of_any_classes(counts, validation, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, held_out = parts(labels, [str(n) for n in counts], validation, None, seed)

    assert not set(train) & set(held_out)
    assert len(train) + len(held_out) == len(labels)
    assert np.bincount(labels[train], minlength=len(counts)).min() >= 1
    held = np.bincount(labels[held_out], minlength=len(counts))
    assert held.min() >= 1
    wanted = min(max(round(len(labels) * validation), len(counts)), len(labels) - len(counts))
    assert len(held_out) == wanted


@given(counts=st.lists(st.integers(2, 60), min_size=2, max_size=12), data=st.data())
def test_limit_of_any_classes(counts, data):
    labels = np.repeat(np.arange(len(counts)), counts)
    limit = data.draw(st.integers(len(counts), len(labels)))
    whole, _ = parts(labels, [str(n) for n in counts], 0.1)
    train, _ = parts(labels, [str(n) for n in counts], 0.1, limit)

    assert len(train) == min(limit, len(whole))
    assert len(set(labels[train])) == len(counts)
