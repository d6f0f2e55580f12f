"""What a network's answers on one part of the data are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.training.confusion import Confusion
from search.training.errors import DivergedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.training.tensorflow_runtime import Forward

BATCH_SIZE = 256
"""Images in one forward pass; the same everywhere, so that the same weights give the same value."""
_BLOCK = 1 << 20  # logits that are doubles at a time


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
    """Loss, accuracy and which classes were taken for which."""

    loss: float
    """Mean cross-entropy, without label smoothing: comparable between trials."""
    accuracy: float
    confusion: Confusion

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
        predictions = logits.argmax(axis=1)
        return cls(
            loss=float(-_log_p_of_labels(logits, labels).mean()),
            accuracy=float((predictions == labels).mean()),
            confusion=Confusion.of(labels, predictions),
        )


def _log_p_of_labels(logits: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The logarithm of each label's probability (n,); in blocks: with thousands of classes, doubles take gigabytes."""
    step = max(1, _BLOCK // logits.shape[1])
    parts = []
    for start in range(0, len(labels), step):
        own = labels[start : start + step]
        log_p = log_softmax(logits[start : start + step].astype(np.float64))
        parts.append(log_p[np.arange(len(own)), own])
    return np.concatenate(parts)


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the probabilities that logits (n, classes) stand for."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
