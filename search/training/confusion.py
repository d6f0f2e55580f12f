"""Which classes are taken for which: counts of the pairs that occur, however many classes there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of (true class, predicted class), those that are not 0.

    There are no more of them than images. A table of all pairs would grow with the square of the classes: 113 MB for
    3,755, at each evaluation.
    """

    cells: NDArray[np.int64]
    """Shape (n, 3): true class, predicted class, how many images; ascending, each pair once."""

    @classmethod
    def of(cls, labels: NDArray[np.int64], predictions: NDArray[np.int64]) -> Self:
        """Counts of labels (n,) against predictions (n,), both indices of classes."""
        n_classes = int(max(labels.max(initial=0), predictions.max(initial=0))) + 1
        pairs, counts = np.unique(labels * n_classes + predictions, return_counts=True)
        return cls(np.column_stack([*np.divmod(pairs, n_classes), counts]).astype(np.int64))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `to_json` gave; or, as it was written before, `counts`, the table of all pairs as lists."""
        if "counts" in values:
            table = np.array(values["counts"], np.int64)
            rows, columns = np.nonzero(table)
            return cls(np.column_stack([rows, columns, table[rows, columns]]))
        return cls(np.array(values["cells"], np.int64).reshape(-1, 3))

    def to_json(self) -> dict[str, Any]:
        """As a mapping that JSON can hold."""
        return {"cells": self.cells.tolist()}

    def totals(self, n_classes: int) -> NDArray[np.int64]:
        """Images of each true class."""
        return _summed(self.cells[:, 0], self.cells[:, 2], n_classes)

    def table(self, classes: Sequence[int]) -> NDArray[np.int64]:
        """The counts among some classes, in their order: rows are true classes, columns predicted ones."""
        place = {label: position for position, label in enumerate(classes)}
        table = np.zeros((len(classes), len(classes)), np.int64)
        for row, column, count in self.cells[np.isin(self.cells[:, :2], classes).all(axis=1)].tolist():
            table[place[row], place[column]] = count
        return table

    def most_confused(self, n: int, n_classes: int) -> list[int]:
        """The `n` classes to look at first, in label order.

        Pairs of classes are taken by the number of images mistaken between the two, either way, until there are `n`
        classes: so what each is confused with is among them. Ties go to the lower labels, and so do places that are
        left where fewer are confused at all.
        """
        low, high = self.cells[:, :2].min(axis=1), self.cells[:, :2].max(axis=1)
        wrong = low < high
        pairs, place = np.unique(low[wrong] * n_classes + high[wrong], return_inverse=True)
        mistaken = _summed(place, self.cells[wrong, 2], len(pairs))
        chosen: dict[int, None] = {}
        for pair in pairs[np.argsort(-mistaken, kind="stable")].tolist():
            chosen.update(dict.fromkeys(divmod(pair, n_classes)))
            if len(chosen) >= n:
                break
        chosen.update(dict.fromkeys(range(n)))
        return sorted(list(chosen)[:n])


def _summed(places: NDArray[np.int64], counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Sums of the counts at each of `n` places."""
    sums = np.zeros(n, np.int64)
    np.add.at(sums, places, counts)
    return sums
