"""One sha256 for all that makes scores comparable: pixels, labels, classes and the cut."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.training.data.parts import Parts

_VERSION = b"hpsearch data 1\n"


def fingerprint(parts: Parts, train: NDArray[np.int64], validation: NDArray[np.int64]) -> str:
    """sha256 (hex) over images, labels, classes, test part and the two index arrays.

    Same on every machine: shapes and names are hashed as text, integers as little-endian int64. The
    name and place of the source are not part of it: the same images elsewhere are the same data.
    """
    digest = hashlib.sha256(_VERSION)
    for name, array in (
        ("images", parts.images),
        ("labels", parts.labels),
        ("test_images", parts.test_images),
        ("test_labels", parts.test_labels),
        ("train", train),
        ("validation", validation),
    ):
        digest.update(f"{name} {array.shape}\n".encode())
        digest.update(_bytes(array).data)
    for name in parts.classes:
        digest.update(f"{len(name.encode())} {name}\n".encode())
    return digest.hexdigest()


def _bytes(array: NDArray[Any]) -> NDArray[Any]:
    """The array in fixed byte order; pixels are not copied."""
    return array if array.dtype == np.uint8 else np.ascontiguousarray(array, "<i8")
