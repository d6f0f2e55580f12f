"""What a source holds before the validation part is cut, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError
from search.training.data.labels import RENUMBER, check_range, numbered_classes, whole_numbers

Images = NDArray[np.uint8]
"""Shape (n, height, width, channels), one or three channels, 0 to 255."""
Labels = NDArray[np.int64]
"""Shape (n,), each an index into the classes."""
Pair = tuple[NDArray[np.generic], NDArray[np.generic]]
"""Images and labels as a source gives them."""
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Parts:
    """Training, validation and test part of a source; the test part may be empty, never mixed in."""

    images: Images
    """Of the training part, then of the validation part."""
    labels: Labels
    test_images: Images
    test_labels: Labels
    classes: tuple[str, ...]
    """Name of each class, in label order."""
    n_validation: int = 0
    """So many of `images`, the last ones, are the validation part that the source brings; 0 where it brings none."""


def checked_parts(
    origin: str,
    *,
    train: Pair,
    validation: Pair | None = None,
    test: Pair | None = None,
    classes: tuple[str, ...] | None = None,
    renumber: str = RENUMBER,
) -> Parts:
    """Parts from (images, labels) pairs as a source gives them.

    Images are uint8 of shape (n, height, width) or (n, height, width, 1 or 3); labels are integers of
    shape (n,) or (n, 1). Without `classes` they are named by their numbers, and the training labels must
    then be 0 to n-1, each of them in use. A validation or test part without images is none.

    Args:
        origin: the file or source, for messages.
        train: images and labels to train on.
        validation: the validation part that the source brings; None where one is to be cut.
        test: the test part.
        classes: the name of each class, in label order.
        renumber: the cure where labels are not 0 to n-1.

    Raises:
        DataError: if anything of that does not hold.
    """
    pairs = {"training": train} | {
        name: pair
        for name, pair in (("validation", validation), ("test", test))
        if pair is not None and (pair[0].size or pair[1].size)
    }
    images = {name: _images(origin, name, pair[0]) for name, pair in pairs.items()}
    labels = {name: whole_numbers(origin, name, len(images[name]), pair[1]) for name, pair in pairs.items()}
    _check_sizes(origin, images)
    if classes is None:
        classes = numbered_classes(origin, labels, renumber)
    if len(classes) < 2:
        raise DataError(f"a classifier needs two classes or more, but {origin} has {len(classes)}; add images")
    for name, part in labels.items():
        check_range(origin, name, part, len(classes))
    return Parts(
        images=_joined(images),
        labels=_joined(labels).astype(np.int64),
        test_images=images.get("test", np.empty((0, *images["training"].shape[1:]), np.uint8)),
        test_labels=labels["test"].astype(np.int64) if "test" in labels else np.empty(0, np.int64),
        classes=classes,
        n_validation=len(labels.get("validation", ())),
    )


def _joined(parts: Mapping[str, NDArray[Scalar]]) -> NDArray[Scalar]:
    """The training part, then the validation part; not copied where there is none."""
    if "validation" not in parts:
        return parts["training"]
    return np.concatenate([parts["training"], parts["validation"]])


def _images(origin: str, part: str, images: NDArray[np.generic]) -> Images:
    if images.dtype != np.uint8:
        raise DataError(
            f"images must be whole numbers from 0 to 255 (uint8), but the {part} images of {origin} are "
            f"{images.dtype}; scale them to 0–255 and convert with .astype('uint8')"
        )
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in {1, 3} or 0 in images.shape[1:]:
        raise DataError(
            f"images must have the shape (n, height, width) or (n, height, width, 1 or 3), but the {part} "
            f"images of {origin} have {images.shape}; reshape them"
        )
    return np.ascontiguousarray(images, np.uint8)


def _check_sizes(origin: str, images: Mapping[str, Images]) -> None:
    size = _size(images["training"])
    for part, own in images.items():
        if _size(own) != size:
            raise DataError(
                f"all images must be of one size, but in {origin} training images are {size} and "
                f"{part} images {_size(own)}; resize them"
            )


def _size(images: Images) -> str:
    height, width, channels = images.shape[1:]
    return f"{height}×{width}×{channels}"
