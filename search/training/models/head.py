"""The classifier on top of a backbone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
from keras import layers

from search.training.hyperparameters import Hyperparameters
from search.training.models.errors import ModelError

MakeDropout = Callable[[str], Callable[[keras.KerasTensor], keras.KerasTensor]]
"""From a layer's name to the layer."""

_POOLS = ("flatten", "avg")
_DROPOUT_AT = ("last", "each")
_MOST_LAYERS = 3


def check_head(hp: Hyperparameters) -> None:
    """Check the head's parameters before a large backbone is built in vain.

    Raises:
        ModelError: if one is not allowed; the message names it and what is allowed.
    """
    if hp.head_pool not in _POOLS:
        raise ModelError(f"`head_pool` must be one of {', '.join(_POOLS)}, but is {hp.head_pool!r}")
    if hp.dropout_at not in _DROPOUT_AT:
        raise ModelError(f"`dropout_at` must be one of {', '.join(_DROPOUT_AT)}, but is {hp.dropout_at!r}")
    if not 0 <= hp.head_layers <= _MOST_LAYERS:
        raise ModelError(f"`head_layers` must be 0 to {_MOST_LAYERS}, but is {hp.head_layers}")
    if hp.head_width < 1:
        raise ModelError(f"`head_width` must be at least 1, but is {hp.head_width}")
    if not 0 <= hp.dropout < 1:
        raise ModelError(f"`dropout` must be at least 0 and below 1, but is {hp.dropout}")


def add_head(
    features: keras.KerasTensor, hp: Hyperparameters, classes: int, dropout: MakeDropout | None = None
) -> keras.KerasTensor:
    """Pooling, dense ReLU layers, dropout, and the output layer `logits`, of shape (n, classes).

    `features` are maps (n, h, w, c), pooled as `head_pool` says, or vectors (n, f), taken as they
    are. Dropout at `last` stands before the output layer, also where there is no dense layer;
    at `each` it stands after every dense layer. `dropout` makes its layers from their names; None
    stands for Keras' own at the rate of `hp`, and for none at a rate of 0.
    """
    make = dropout or partial(_dropout, hp.dropout)
    x = _pooled(features, hp.head_pool)
    for number in range(1, hp.head_layers + 1):
        x = layers.Dense(hp.head_width, activation="relu", name=f"dense_{number}")(x)
        if hp.dropout_at == "each" and number < hp.head_layers:
            x = make(f"dropout_{number}")(x)
    x = make("dropout_last")(x)
    return layers.Dense(classes, name="logits")(x)


def _dropout(rate: float, name: str) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    return layers.Dropout(rate, name=name) if rate else lambda x: x


def _pooled(features: keras.KerasTensor, pool: str) -> keras.KerasTensor:
    if len(features.shape) == 2:
        return features
    if pool == "avg":
        return layers.GlobalAveragePooling2D(name="pool")(features)
    return layers.Flatten(name="pool")(features)
