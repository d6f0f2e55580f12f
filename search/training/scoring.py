"""What a network's answers on one part of the data are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.training.errors import DivergedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.training.tensorflow_runtime import Forward

BATCH_SIZE = 256
"""Images in one forward pass; the same everywhere, so that the same weights give the same value."""


def logits_of(
    forward: Forward,
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    after_batch: Callable[[], bool] = lambda: True,
) -> NDArray[np.float32]:
    """Logits (n, classes) of `images[indices]`, a batch at a time.

    `after_batch` is called after each batch; when it returns False the rest is left out.
    """
    parts = []
    for start in range(0, len(indices), BATCH_SIZE):
        parts.append(forward(images[indices[start : start + BATCH_SIZE]]))
        if not after_batch():
            break
    return np.concatenate(parts)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Loss, accuracy and who was taken for whom."""

    loss: float
    """Mean cross-entropy, without label smoothing: comparable between trials."""
    accuracy: float
    confusion: NDArray[np.int64]
    """(classes, classes): images of the true class (row) that were taken for a class (column)."""

    @classmethod
    def of(cls, logits: NDArray[Any], labels: NDArray[np.int64]) -> Scores:
        """Scores of logits (n, classes) against labels (n,).

        Raises:
            DivergedError: if a logit is NaN or infinite.
        """
        if not np.isfinite(logits).all():
            raise DivergedError(
                "the network's outputs on the validation part are not finite; try a tenth of the learning rate"
            )
        answers = logits.argmax(axis=1)
        log_p = log_softmax(logits.astype(np.float64))
        n_classes = logits.shape[1]
        counts = np.bincount(labels * n_classes + answers, minlength=n_classes**2)
        return cls(
            loss=float(-log_p[np.arange(len(labels)), labels].mean()),
            accuracy=float((answers == labels).mean()),
            confusion=counts.reshape(n_classes, n_classes),
        )


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the probabilities that logits (n, classes) stand for."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
