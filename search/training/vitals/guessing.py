"""What guessing is worth: the line between a network that knows nothing and one that has learned."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Guessing:
    """Scores of a network that gives every image the same answer, the best one there is."""

    loss: float
    """Cross-entropy of answering with the classes' shares: ln(classes) where all are equally frequent."""
    accuracy: float
    """Of always answering with the most frequent class."""

    def is_beaten(self, accuracy: float) -> bool:
        """Whether an accuracy is clearly better than that of guessing.

        Three times that, for networks that have learned nothing come to twice it by accident; with few classes a
        quarter of the way to 1.
        """
        return accuracy >= min(3.0 * self.accuracy, (1.0 + 3.0 * self.accuracy) / 4.0)

    @classmethod
    def of(cls, counts: Iterable[int]) -> Self:
        """From the number of training images of each class; classes without any are left out."""
        counts = [count for count in counts if count]
        shares = [count / sum(counts) for count in counts]
        return cls(loss=-sum(share * math.log(share) for share in shares), accuracy=max(shares))
