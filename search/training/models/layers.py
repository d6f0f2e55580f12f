"""Finding layers inside models that hold models."""

from __future__ import annotations

from collections.abc import Iterator

import keras


def batch_norm_layers(model: keras.Model) -> tuple[keras.layers.BatchNormalization, ...]:
    """Every BatchNormalization layer of `model`, in order of depth, each once.

    Models inside the model and layers inside wrappers (such as `TimeDistributed`) are searched too.
    Frozen layers are given as well: look at `trainable` where it matters.
    """
    found = {id(layer): layer for layer in all_layers(model) if isinstance(layer, keras.layers.BatchNormalization)}
    return tuple(found.values())


def is_normalised(model: keras.Model) -> bool:
    """Whether layers of `model`, at any depth, scale a signal to a size of their own, as BatchNorm does."""
    kinds = (
        keras.layers.BatchNormalization,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.RMSNormalization,
    )
    return any(isinstance(layer, kinds) for layer in all_layers(model))


def all_layers(parent: keras.Layer) -> Iterator[keras.Layer]:
    """Every layer within `parent`, in order of depth: of models, wrappers, and layers that are made of layers.

    One that is used twice comes once for each model that holds it.
    """
    # Keras has no public way into a layer such as MultiHeadAttention.
    for layer in parent._flatten_layers(include_self=False, recursive=False):
        yield layer
        yield from all_layers(layer)
