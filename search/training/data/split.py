"""Which images are for training and which for validation: stratified, seeded, the same everywhere.

The order is our own and not NumPy's, whose generators may change their streams between versions: image i
gets the (i+1)-th number of SplitMix64 started at the seed (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014), and images are taken class by class in ascending order of
these 64-bit numbers. Shares are computed in whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError

Indices = NDArray[np.int64]
"""Ascending positions in the training part."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def cut(
    labels: NDArray[np.int64],
    classes: Sequence[str],
    *,
    validation: float,
    train_limit: int | None,
    seed: int,
    n_own: int = 0,
) -> tuple[Indices, Indices]:
    """Indices for training and for validation: disjoint, and each class in the same share in both.

    The validation part has round(n × validation) images, and at least one of each class. It does not
    depend on `train_limit`, which leaves at most that many images for training, each class in its share.

    Where the source brings a validation part of its own, the last `n_own` labels, that is the validation
    part as it stands, and all others are for training; `validation` is not used then.

    Raises:
        DataError: if a share or limit is out of range, or a class has too few images to be in both parts.
    """
    if not 0 < validation < 1:
        raise DataError(f"validation must be a share between 0 and 1, but got {validation}; 0.1 is usual")
    if n_own:
        return _as_brought(labels, classes, n_own, train_limit, seed)
    counts = np.bincount(labels, minlength=len(classes))
    _check_counts(counts, classes)
    wanted = max(round(len(labels) * validation), len(classes))
    n_validation = shares(counts, wanted, most=counts - 1)
    left = counts - n_validation
    n_train = left if train_limit is None else _limited(left, train_limit)
    members = by_class(labels, len(classes), seed)
    train = [own[held : held + n] for own, held, n in zip(members, n_validation, n_train, strict=True)]
    held_out = [own[:held] for own, held in zip(members, n_validation, strict=True)]
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))


def stratified(labels: NDArray[np.int64], n_classes: int, n: int, seed: int) -> Indices:
    """Positions of `n` of the labels (all where there are fewer), each class in its share, ascending.

    `n` must be at least the number of classes. With the same seed a smaller choice is nearly a
    part of a larger one: of each class the first ones in one order are taken.
    """
    counts = np.bincount(labels, minlength=n_classes)
    wanted = shares(counts, min(n, len(labels)), most=counts)
    return np.sort(
        np.concatenate([own[:some] for own, some in zip(by_class(labels, n_classes, seed), wanted, strict=True)])
    )


def by_class(labels: NDArray[np.int64], n_classes: int, seed: int) -> list[Indices]:
    """The positions of each class' images, in the order that `seed` gives."""
    order = np.argsort(_numbers(len(labels), seed), kind="stable")
    # One sort for all classes: looking for each of thousands in turn would read all labels as often.
    order = order[np.argsort(labels[order], kind="stable")]
    return np.split(order, np.cumsum(np.bincount(labels, minlength=n_classes))[:-1])


def shares(counts: NDArray[np.int64], total: int, *, most: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of each class, `total` in all: in proportion to `counts`, at least one, at most `most`.

    What whole numbers leave over goes to the largest remainders, the first class first. The sum
    is smaller than `total` only where `most` allows no more; `total` is at least the number of classes.
    """
    n = int(counts.sum())
    quota = np.clip(counts * total // n, 1, most)
    by_remainder = np.argsort(-(counts * total % n), kind="stable")
    while (missing := total - int(quota.sum())) > 0 and (room := by_remainder[(quota < most)[by_remainder]]).size:
        quota[room[:missing]] += 1
    while int(quota.sum()) > total:
        quota[np.argmax(quota)] -= 1
    return quota


def _as_brought(
    labels: NDArray[np.int64], classes: Sequence[str], n_own: int, train_limit: int | None, seed: int
) -> tuple[Indices, Indices]:
    n = len(labels) - n_own
    counts = np.bincount(labels[:n], minlength=len(classes))
    if missing := [repr(name) for name, count in zip(classes, counts, strict=True) if not count]:
        raise DataError(
            f"each class needs a training image, but these have none: {_some(missing)}; add images, or remove the class"
        )
    n_train = n if train_limit is None else int(_limited(counts, train_limit).sum())
    return stratified(labels[:n], len(classes), n_train, seed), np.arange(n, len(labels))


def _limited(left: NDArray[np.int64], train_limit: int) -> NDArray[np.int64]:
    if train_limit < len(left):
        raise DataError(
            f"train_limit must leave an image of each class, but got {train_limit} for {len(left)} classes; raise it"
        )
    return shares(left, min(train_limit, int(left.sum())), most=left)


def _check_counts(counts: NDArray[np.int64], classes: Sequence[str]) -> None:
    few = [f"{name!r} ({count})" for name, count in zip(classes, counts, strict=True) if count < 2]
    if few:
        raise DataError(
            "each class needs two training images or more, one of them for validation, but these have fewer: "
            f"{_some(few)}; add images, or remove the class"
        )


def _some(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def _numbers(n: int, seed: int) -> NDArray[np.uint64]:
    state = np.arange(1, n + 1, dtype=np.uint64) * _GAMMA + np.uint64(seed % 2**64)
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return state ^ (state >> np.uint64(31))
