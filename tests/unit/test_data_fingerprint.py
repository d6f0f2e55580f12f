"""The fingerprint changes with all that makes scores comparable, and with nothing else."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from search.training.data.fingerprint import fingerprint
from search.training.data.parts import Parts

TRAIN, VALIDATION = np.array([0, 2]), np.array([1])


def parts(**changes) -> Parts:
    images = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1)
    fields = {
        "images": images,
        "labels": np.array([0, 1, 1]),
        "test_images": images[:1] + 1,
        "test_labels": np.array([1]),
        "classes": ("a", "b"),
    }
    return Parts(**{**fields, **changes})


def test_fingerprint_by_definition():
    content = b"hpsearch data 1\n"
    content += b"images (3, 2, 2, 1)\n" + bytes(range(12))
    content += b"labels (3,)\n" + struct.pack("<3q", 0, 1, 1)
    content += b"test_images (1, 2, 2, 1)\n" + bytes([1, 2, 3, 4])
    content += b"test_labels (1,)\n" + struct.pack("<q", 1)
    content += b"train (2,)\n" + struct.pack("<2q", 0, 2)
    content += b"validation (1,)\n" + struct.pack("<q", 1)
    content += b"1 a\n1 b\n"

    assert fingerprint(parts(), TRAIN, VALIDATION) == hashlib.sha256(content).hexdigest()


def test_byte_order_and_width_do_not_count():
    other = parts(labels=np.array([0, 1, 1], ">i4"))

    assert fingerprint(other, TRAIN.astype(">i8"), VALIDATION) == fingerprint(parts(), TRAIN, VALIDATION)


@pytest.mark.parametrize(
    "changes",
    [
        {"images": parts().images + np.uint8(1)},
        {"images": parts().images.reshape(3, 4, 1, 1)},
        {"labels": np.array([1, 0, 1])},
        {"test_images": parts().images[1:2]},
        {"test_labels": np.array([0])},
        {"classes": ("a", "c")},
        {"classes": ("b", "a")},
    ],
)
def test_any_other_data(changes):
    assert fingerprint(parts(**changes), TRAIN, VALIDATION) != fingerprint(parts(), TRAIN, VALIDATION)


def test_another_cut():
    assert fingerprint(parts(), VALIDATION, TRAIN) != fingerprint(parts(), TRAIN, VALIDATION)


def test_no_test_part():
    empty = parts(test_images=np.empty((0, 2, 2, 1), np.uint8), test_labels=np.empty(0, np.int64))

    assert fingerprint(empty, TRAIN, VALIDATION) != fingerprint(parts(), TRAIN, VALIDATION)
