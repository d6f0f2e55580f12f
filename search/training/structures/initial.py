"""The state that a network begins a trial with: a function of its structure and the trial's seed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from search.training.models import all_layers
from search.training.seeds import derived_seed
from search.training.tensorflow_runtime import assign

if TYPE_CHECKING:
    from collections.abc import Iterator


class InitialState:
    """Puts the variables of one model back to where a trial begins.

    Random values are drawn anew by each layer's own initializer, seeded by the trial's seed and
    the variable's place in the model. All else (BatchNorm's averages, scales) starts as it was
    when the model was built. Take it before the model is trained for the first time.
    """

    def __init__(self, model: keras.Model) -> None:
        """Look at a model that has just been built."""
        self._random = _random_variables(model)
        drawn = {id(variable) for variable, _ in self._random}
        rest = [variable for variable in model.variables if id(variable) not in drawn]
        self._seeds = [variable for variable in rest if _is_seed(variable)]
        constant = [variable for variable in rest if not _is_seed(variable)]
        self._constant = (constant, [variable.numpy() for variable in constant])

    def restore(self, seed: int) -> None:
        """Begin a trial with `seed`: the same seed gives the same state, whatever was trained before."""
        assign((variable for variable, _ in self._random), self._drawn(seed))
        for place, variable in enumerate(self._seeds):
            start = [derived_seed(seed, "dropout", place), 0]
            variable.assign(np.array(start, dtype=variable.dtype))
        assign(*self._constant)

    def _drawn(self, seed: int) -> Iterator[Any]:
        """Values of the random variables, one after the other: all of them at once would be a second network."""
        for place, (variable, initializer) in enumerate(self._random):
            drawn = _seeded(initializer, derived_seed(seed, "weights", place))
            # A class of the user's own may draw another dtype than it is asked for.
            yield keras.ops.convert_to_tensor(drawn(variable.shape, dtype=variable.dtype), variable.dtype)


def _random_variables(model: keras.Model) -> list[tuple[keras.Variable, keras.Initializer]]:
    """Variables whose layer draws them at random, with the initializer that does, in order of depth."""
    found = {}
    for layer in all_layers(model):
        for variable in layer.weights:
            initializer = _initializer(layer, variable)
            if initializer is not None:
                found[id(variable)] = (variable, initializer)
    return [found[id(variable)] for variable in model.variables if id(variable) in found]


def _initializer(layer: keras.Layer, variable: keras.Variable) -> keras.Initializer | None:
    # Keras' layers name the initializer of `kernel` `kernel_initializer`; convolutions by depth leave "kernel" out.
    for name in (variable.name, variable.name.removesuffix("_kernel"), "depthwise"):
        initializer = getattr(layer, f"{name}_initializer", None)
        if isinstance(initializer, keras.initializers.Initializer):
            return initializer if "seed" in initializer.get_config() else None
    return None


def _seeded(initializer: keras.Initializer, seed: int) -> keras.Initializer:
    return type(initializer).from_config({**initializer.get_config(), "seed": seed})


def _is_seed(variable: keras.Variable) -> bool:
    return str(variable.name) == "seed_generator_state"
