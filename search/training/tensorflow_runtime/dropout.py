"""Dropout at a rate that is a tensor."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def dropout(inputs: Any, rate: Any, seed: keras.random.SeedGenerator) -> Any:
    """Values of the same shape and mean, each zero with probability `rate`; all as they are where it is 0.

    `keras.random.dropout` asks whether the rate is 0 while the graph is traced. Here the graph is the same for every
    rate, and yet one of 0 costs next to nothing: a single row of random numbers stands for all, because drawing one
    for each value would take a third of the time that a small head takes. Such a size is known in the step only,
    which not every backend of Keras allows.

    Args:
        inputs: (n, …), floating point.
        rate: in [0, 1), of the same dtype.
        seed: what the random numbers come from.
    """
    n, *rest = keras.ops.shape(inputs)
    rows = tf.where(rate > 0, n, 1)
    kept = keras.random.uniform((rows, *rest), dtype=inputs.dtype, seed=seed) >= rate
    return inputs * tf.where(kept, 1 / (1 - rate), 0.0)
