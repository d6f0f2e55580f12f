"""Labels as a source gives them: whole numbers from 0, one for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError

WholeNumbers = NDArray[np.integer[Any]]
"""Shape (n,), of any integer type: what does not fit into 64 bits is refused before it is converted."""

RENUMBER = "renumber those of all parts together: `classes, labels = np.unique(labels, return_inverse=True)`"
"""The cure for labels that are not 0 to n-1, where they come from arrays."""

_N_SHOWN = 5


def whole_numbers(origin: str, part: str, n_images: int, labels: NDArray[np.generic]) -> WholeNumbers:
    """Labels of shape (n,) from labels of shape (n,) or (n, 1).

    Raises:
        DataError: if they are not integers, or not as many as the images.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"labels must be whole numbers, one an image, but the {part} labels of {origin} are "
            f"{labels.dtype} of shape {labels.shape}; {_conversion(part, labels)}"
        )
    if len(labels) != n_images:
        raise DataError(
            f"images and labels must be as many, but {origin} has {n_images:,} {part} images and "
            f"{len(labels):,} labels; write both again"
        )
    return cast("WholeNumbers", labels)


def numbered_classes(origin: str, labels: Mapping[str, WholeNumbers], renumber: str) -> tuple[str, ...]:
    """The classes of labels that have no names: their numbers, in order.

    The training labels must be 0 to n-1, each of them in use. Nothing is allocated for a label that is not
    there: an id or a stray value as large as you like costs no more than any other.

    Raises:
        DataError: naming the labels that were found, the first that does not fit, and the cure.
    """
    train = labels["training"]
    found = np.unique(train)
    if not np.array_equal(found, np.arange(len(found))):
        first = _beyond(train, len(found))[0]
        raise DataError(
            "labels must be numbers from 0, one for each class and none left out, but the training labels of "
            f"{origin} are {len(found):,} different numbers: {_shown(found)}; the first that does not fit is that of "
            f"image {first}, {train[first]}; {_renumbering(found, renumber)}"
        )
    for part, own in labels.items():
        wrong = _beyond(own, len(found))
        if len(wrong):
            raise DataError(
                f"each class needs training images, but in {origin} {part} image {wrong[0]} has label {own[wrong[0]]} "
                f"({len(wrong):,} such in all), and the training labels are 0 to {len(found) - 1}; correct the labels, "
                "or remove these images"
            )
    return tuple(str(label) for label in range(len(found)))


def check_range(origin: str, part: str, labels: WholeNumbers, n_classes: int) -> None:
    """Refuse labels that are not in [0, n_classes).

    Raises:
        DataError: naming the first such label and its place.
    """
    wrong = _beyond(labels, n_classes)
    if len(wrong):
        raise DataError(
            f"labels must be from 0 to {n_classes - 1}, but in {origin} {part} image {wrong[0]} has label "
            f"{labels[wrong[0]]} ({len(wrong):,} such in all); correct the labels or the names of the classes"
        )


def _beyond(labels: WholeNumbers, n_classes: int) -> NDArray[np.int64]:
    """Positions of the labels that are not in [0, n_classes)."""
    return np.flatnonzero((labels < 0) | (labels >= n_classes))


def _shown(found: WholeNumbers) -> str:
    """The labels themselves, or the first ones and the last."""
    numbers = [str(number) for number in found]
    if len(numbers) <= _N_SHOWN + 1:
        return ", ".join(numbers)
    return f"{', '.join(numbers[:_N_SHOWN])}, …, {numbers[-1]}"


def _renumbering(found: WholeNumbers, renumber: str) -> str:
    if np.array_equal(found, np.arange(1, len(found) + 1)):
        return f"they count from 1: subtract 1, in all parts, or {renumber}"
    return f"correct or remove what is no class, or {renumber}"


def _conversion(part: str, labels: NDArray[np.generic]) -> str:
    """How labels that are no whole numbers become some."""
    if labels.ndim != 1:
        return "store class indices (`labels.argmax(axis=1)` of one-hot rows)"
    if labels.dtype.kind in "US":
        return "number them: `classes, labels = np.unique(labels, return_inverse=True)`"
    if labels.dtype.kind == "f":
        wrong = np.flatnonzero(~(np.isfinite(labels) & (np.floor(labels) == labels)))
        if len(wrong):
            return f"{part} image {wrong[0]} has {labels[wrong[0]]} ({len(wrong):,} such in all): give each its class"
    return "convert them with .astype('int64')"
