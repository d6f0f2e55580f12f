"""How large networks are, without training them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras

from search.training.hyperparameters import Hyperparameters
from search.training.messages import Measured
from search.training.models import build_model
from search.training.structures.kept import forget_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from search.training.messages import Measure

_BYTES = 4  # of a float32
_SLOTS = {"adam": 2, "adamw": 2, "sgd": 1}
"""Arrays of the size of the weights that an optimizer keeps."""


def measure(command: Measure) -> Measured:
    """Build each network and count; see `Measured` for what memory stands for."""
    sizes = [_size(command, values) for values in command.hyperparameters]
    return Measured(parameters=[size[0] for size in sizes], memory=[size[1] for size in sizes])


def _size(command: Measure, values: Mapping[str, Any]) -> tuple[int, int]:
    forget_models()
    hp = Hyperparameters.from_dict(values)
    model = build_model(hp, command.image_shape, command.classes, command.builders)
    parameters = model.count_params()
    trained = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    activations = sum(_outputs(model)) * hp.batch_size
    # Gradients are as large as what is trained; activations are kept for the way back.
    return parameters, _BYTES * (parameters + trained * (1 + _SLOTS[hp.optimizer]) + activations)


def _outputs(model: keras.Model) -> Iterator[int]:
    """Numbers that each layer gives for one image, layers of nested models included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _outputs(layer)
        else:
            for output in keras.tree.flatten(layer.output):
                yield math.prod(output.shape[1:])
