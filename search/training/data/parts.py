"""What a source holds before the validation part is cut, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError

Images = NDArray[np.uint8]
"""Shape (n, height, width, channels), one or three channels, 0 to 255."""
Labels = NDArray[np.int64]
"""Shape (n,), each an index into the classes."""


@dataclass(frozen=True)
class Parts:
    """Training and test part of a source; the test part may be empty, never mixed in."""

    images: Images
    labels: Labels
    test_images: Images
    test_labels: Labels
    classes: tuple[str, ...]
    """Name of each class, in label order."""


def checked_parts(
    origin: str,
    train: tuple[NDArray[np.generic], NDArray[np.generic]],
    test: tuple[NDArray[np.generic], NDArray[np.generic]] | None,
    classes: tuple[str, ...] | None,
) -> Parts:
    """Parts from (images, labels) pairs as a source gives them.

    Images are uint8 of shape (n, height, width) or (n, height, width, 1 or 3); labels are integers of
    shape (n,) or (n, 1). Without `classes` they are named by their numbers, up to the largest
    label. `origin` names the file or source in messages.

    Raises:
        DataError: if anything of that does not hold.
    """
    images, labels = _images(origin, "training", train[0]), _labels(origin, "training", *train)
    if test is None or not len(test[0]):
        test = (np.empty((0, *images.shape[1:]), np.uint8), np.empty(0, np.int64))
    test_images, test_labels = _images(origin, "test", test[0]), _labels(origin, "test", *test)
    if test_images.shape[1:] != images.shape[1:]:
        raise DataError(
            f"all images must be of one size, but in {origin} training images are {_size(images)} and "
            f"test images {_size(test_images)}; resize them"
        )
    if classes is None:
        largest = max(int(part.max(initial=0)) for part in (labels, test_labels))
        classes = tuple(str(label) for label in range(largest + 1))
    if len(classes) < 2:
        raise DataError(f"a classifier needs two classes or more, but {origin} has {len(classes)}; add images")
    for name, part in (("training", labels), ("test", test_labels)):
        check_range(origin, name, part, len(classes))
    return Parts(images, labels, test_images, test_labels, classes)


def check_range(origin: str, part: str, labels: Labels, n_classes: int) -> None:
    """Refuse labels that are not in [0, n_classes).

    Raises:
        DataError: naming the first such label and its place.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        raise DataError(
            f"labels must be from 0 to {n_classes - 1}, but in {origin} {part} image {wrong[0]} has label "
            f"{labels[wrong[0]]} ({len(wrong):,} such in all); correct the labels or the names of the classes"
        )


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


def _labels(origin: str, part: str, images: NDArray[np.generic], labels: NDArray[np.generic]) -> Labels:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(
            f"labels must be whole numbers, one an image, but the {part} labels of {origin} are "
            f"{labels.dtype} of shape {labels.shape}; store class indices (argmax of one-hot rows)"
        )
    if len(labels) != len(images):
        raise DataError(
            f"images and labels must be as many, but {origin} has {len(images):,} {part} images and "
            f"{len(labels):,} labels; write both again"
        )
    return labels.astype(np.int64)


def _size(images: Images) -> str:
    height, width, channels = images.shape[1:]
    return f"{height}×{width}×{channels}"
