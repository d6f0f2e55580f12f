"""Optimizers whose settings are variables: another learning rate traces nothing again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import keras

from search.training.tensorflow_runtime import FusedAdam, FusedSGD

if TYPE_CHECKING:
    from search.training.hyperparameters import Hyperparameters


class Settings:
    """What every step of every trial reads: set when a trial begins, some of it while it runs."""

    def __init__(self) -> None:
        """All zero until `begin`."""
        self.learning_rate = _number("learning_rate")
        self.momentum = _number("momentum")
        self.weight_decay = _number("weight_decay")
        self.label_smoothing = _number("label_smoothing")
        self.dropout = _number("dropout")

    def begin(self, hp: Hyperparameters) -> None:
        """Take a trial's values."""
        for name, variable in vars(self).items():
            variable.assign(getattr(hp, name))


_OPTIMIZERS: dict[str, Callable[[Settings, keras.Variable | None], keras.optimizers.Optimizer]] = {
    "adam": lambda settings, decay: FusedAdam(lambda: settings.learning_rate, weight_decay=decay),
    # With decoupled decay, which Keras' Adam has too, the two are one.
    "adamw": lambda settings, decay: FusedAdam(lambda: settings.learning_rate, weight_decay=decay),
    "sgd": lambda settings, decay: FusedSGD(lambda: settings.learning_rate, settings.momentum, weight_decay=decay),
}


def make_optimizer(
    variables: list[keras.Variable], hp: Hyperparameters, settings: Settings
) -> keras.optimizers.Optimizer:
    """The optimizer that `hp` names, ready for `variables`.

    Weight decay is decoupled from the gradient (Loshchilov and Hutter, 2019) for every optimizer,
    and spares biases and BatchNorm's scales, which are the variables of one dimension.

    Raises:
        ValueError: if the optimizer is none that is known.
    """
    if hp.optimizer not in _OPTIMIZERS:
        allowed = ", ".join(_OPTIMIZERS)
        raise ValueError(f"`optimizer` must be one of {allowed}, but got {hp.optimizer!r}")
    # Without decay there is none in the graph: it would read and write every weight for nothing.
    optimizer = _OPTIMIZERS[hp.optimizer](settings, settings.weight_decay if hp.weight_decay else None)
    if hp.weight_decay:
        optimizer.exclude_from_weight_decay(var_list=[one for one in variables if len(one.shape) <= 1])
    optimizer.build(variables)
    return optimizer


def _number(name: str) -> keras.Variable:
    return keras.Variable(0.0, dtype="float32", trainable=False, name=name)
