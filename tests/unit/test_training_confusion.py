"""Confusion counts are as small as what they count, and say which classes to look at."""

from __future__ import annotations

import json

import numpy as np
import pytest

from search.training.confusion import Confusion
from search.training.scoring import Scores


def counted(*pairs: tuple[int, int]) -> Confusion:
    labels, predictions = np.array(pairs).T
    return Confusion.of(labels, predictions)


def test_counts_of_pairs():
    confusion = counted((2, 0), (0, 0), (2, 0), (2, 2), (0, 1))

    assert confusion.cells.tolist() == [[0, 0, 1], [0, 1, 1], [2, 0, 2], [2, 2, 1]]
    assert confusion.totals(4).tolist() == [2, 0, 3, 0]
    assert confusion.table([0, 2]).tolist() == [[1, 0], [2, 1]]


@pytest.mark.parametrize("n_classes", [47, 3_755])
def test_counts_cost_the_same_however_many_classes_there_are(n_classes):
    """A table of all pairs of 3,755 classes would have 14 million counts."""
    n_images = 5_000
    labels, predictions = np.random.default_rng(0).integers(0, n_classes, (2, n_images))
    logits = np.zeros((n_images, n_classes), np.float32)
    logits[np.arange(n_images), predictions] = 1

    confusion = Scores.of(logits, labels).confusion
    text = json.dumps(confusion.to_json())

    assert len(confusion.cells) <= n_images
    assert confusion.cells[:, 2].sum() == n_images
    assert len(text) < 20 * n_images  # bytes


def test_counts_come_back_from_json():
    confusion = counted((2, 0), (0, 0), (2, 0))

    back = Confusion.from_json(json.loads(json.dumps(confusion.to_json())))

    assert back.cells.tolist() == confusion.cells.tolist()


def test_table_of_all_pairs_as_it_was_written_before():
    table = [[150, 50, 0], [30, 170, 0], [0, 0, 0]]

    confusion = Confusion.from_json({"classes": ["a", "b", "c"], "counts": table})

    assert confusion.cells.tolist() == [[0, 0, 150], [0, 1, 50], [1, 0, 30], [1, 1, 170]]
    assert confusion.table(range(3)).tolist() == table


def test_no_images_have_no_counts():
    confusion = Confusion.from_json({"cells": []})

    assert confusion.table([0, 1]).tolist() == [[0, 0], [0, 0]]
    assert confusion.most_confused(2, 5) == [0, 1]


def test_most_confused_come_in_pairs():
    confusion = counted(*[(7, 9)] * 2, *[(9, 7)] * 3, *[(1, 2)] * 4, (3, 8), *[(5, 5)] * 100)

    assert confusion.most_confused(2, 10) == [7, 9]  # five mistakes, either way
    assert confusion.most_confused(4, 10) == [1, 2, 7, 9]
    assert confusion.most_confused(5, 10) == [1, 2, 3, 7, 9]
    assert confusion.most_confused(8, 10) == [0, 1, 2, 3, 4, 7, 8, 9]  # places are left
