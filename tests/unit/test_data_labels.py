"""Labels that are no classes are refused before anything of their size is allocated."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from search.training.data.errors import DataError
from search.training.data.parts import checked_parts

IMAGES = np.zeros((12, 2, 2), np.uint8)
LABELS = np.repeat([0, 1, 2], 4)
UNIQUE = "`classes, labels = np.unique(labels, return_inverse=True)`"


def stray(value, at=7, dtype=np.int64):
    labels = LABELS.astype(dtype)
    labels[at] = value
    return labels


def error_of(labels, **parts) -> str:
    with pytest.raises(DataError) as caught:
        checked_parts("a.npz", train=(IMAGES, labels), **parts)
    return str(caught.value)


def test_labels_that_are_ids():
    assert error_of(LABELS + 20_210_000) == (
        "labels must be numbers from 0, one for each class and none left out, but the training labels of a.npz are "
        "3 different numbers: 20210000, 20210001, 20210002; the first that does not fit is that of image 0, 20210000; "
        f"correct or remove what is no class, or renumber those of all parts together: {UNIQUE}"
    )


@pytest.mark.parametrize(
    "labels",
    [
        stray(-1),
        stray(255, dtype=np.uint8),
        stray(900_000_000),
        stray(2**32 - 1),
        stray(2**63 - 1),
        stray(2**64 - 1, dtype=np.uint64),
        stray(-(2**63)),
    ],
)
def test_stray_label_is_named_with_its_place(labels):
    message = error_of(labels)

    assert "are 4 different numbers: " in message
    assert f"the first that does not fit is that of image 7, {labels[7]}; correct or remove what is no class" in message


def test_labels_with_a_gap():
    assert "3 different numbers: 0, 1, 3; the first that does not fit is that of image 8, 3;" in error_of(
        np.repeat([0, 1, 3], 4)
    )


def test_labels_that_count_from_one():
    assert "they count from 1: subtract 1, in all parts, or renumber" in error_of(LABELS + 1)


def test_many_labels_are_not_all_shown():
    assert "are 12 different numbers: 0, 10, 20, 30, 40, …, 110; the first" in error_of(np.arange(12) * 10)


def test_large_labels_cost_no_memory():
    labels = LABELS * 450_000_000
    tracemalloc.start()
    error_of(labels)
    error_of(LABELS, test=(IMAGES, labels))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1 << 20


@pytest.mark.parametrize("part", ["validation", "test"])
def test_label_that_no_training_image_has(part):
    assert error_of(LABELS, **{part: (IMAGES, stray(900_000_000, at=3))}) == (
        f"each class needs training images, but in a.npz {part} image 3 has label 900000000 (1 such in all), and the "
        "training labels are 0 to 2; correct the labels, or remove these images"
    )


def test_label_beyond_the_names():
    assert error_of(stray(2**64 - 1, dtype=np.uint64), classes=("a", "b", "c")) == (
        f"labels must be from 0 to 2, but in a.npz training image 7 has label {2**64 - 1} (1 such in all); correct the "
        "labels or the names of the classes"
    )


@pytest.mark.parametrize(
    ("labels", "cure"),
    [
        (stray(np.nan, dtype=np.float32), "training image 7 has nan (1 such in all): give each its class"),
        (stray(0.5, dtype=np.float64), "training image 7 has 0.5 (1 such in all): give each its class"),
        (stray(np.inf, dtype=np.float16), "training image 7 has inf (1 such in all): give each its class"),
        (LABELS.astype(np.float32), "are float32 of shape (12,); convert them with .astype('int64')"),
        (LABELS > 0, "are bool of shape (12,); convert them with .astype('int64')"),
        (np.array(["cat", "dog", "eel"])[LABELS], f"number them: {UNIQUE}"),
        (np.array([b"cat", b"dog", b"eel"])[LABELS], f"number them: {UNIQUE}"),
        (np.eye(3)[LABELS], "are float64 of shape (12, 3); store class indices (`labels.argmax(axis=1)`"),
        (np.eye(3, dtype=np.int64)[LABELS], "are int64 of shape (12, 3); store class indices"),
    ],
)
def test_labels_that_are_no_whole_numbers(labels, cure):
    assert cure in error_of(labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, ">i4", np.uint64])
def test_integers_of_any_kind(dtype):
    parts = checked_parts("a.npz", train=(IMAGES, LABELS.astype(dtype)), validation=(IMAGES[:3], LABELS[:3]))

    assert parts.labels.dtype == np.int64
    assert parts.labels.tolist() == [*LABELS, *LABELS[:3]]
    assert parts.classes == ("0", "1", "2")
