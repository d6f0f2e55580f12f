"""Dropout whose rate is a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from search.training.tensorflow_runtime import dropout

if TYPE_CHECKING:
    from search.training.structures.optimizers import Settings


class LiveDropout(keras.layers.Layer):
    """Drops values at a rate that is read at each step; otherwise Keras' own Dropout.

    It has no weights: a network with it and one with Keras' own exchange theirs.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        """The rate is `settings.dropout`, in [0, 1); 0 changes nothing."""
        super().__init__(name=name)
        self._settings = settings
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Values of the same shape and mean."""
        if not training:
            return inputs
        return dropout(inputs, ops.convert_to_tensor(self._settings.dropout), self.seed_generator)
