"""Loss, metrics and optimizer of a trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

if TYPE_CHECKING:
    from search.training.hyperparameters import Hyperparameters

_OPTIMIZERS: dict[str, Callable[[Hyperparameters], keras.optimizers.Optimizer]] = {
    "adam": lambda hp: keras.optimizers.Adam(hp.learning_rate, weight_decay=hp.weight_decay or None),
    "adamw": lambda hp: keras.optimizers.AdamW(hp.learning_rate, weight_decay=hp.weight_decay),
    "sgd": lambda hp: keras.optimizers.SGD(
        hp.learning_rate, momentum=hp.momentum, weight_decay=hp.weight_decay or None
    ),
}


class CrossEntropy(keras.losses.Loss):
    """Cross-entropy of logits against class indices, with label smoothing.

    With smoothing s the target is 1 − s for the true class plus s shared evenly by all classes
    (Szegedy and others, "Rethinking the Inception Architecture", 2016).
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        """`label_smoothing` in [0, 1); 0 is plain cross-entropy."""
        super().__init__(name="cross_entropy")
        self._smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each image: labels (n,), logits (n, classes) to (n,)."""
        loss = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        if not self._smoothing:
            return loss
        even = -ops.mean(ops.log_softmax(y_pred), axis=-1)
        return (1 - self._smoothing) * loss + self._smoothing * even


def compile_model(model: keras.Model, hp: Hyperparameters) -> None:
    """Compile for training: metrics `loss` and `accuracy`, the optimizer ready with its variables.

    Weight decay is decoupled from the gradient (Loshchilov and Hutter, 2019) for every optimizer,
    and spares biases and BatchNorm's scales, which are the variables of one dimension.

    Raises:
        ValueError: if the optimizer is none that is known.
    """
    if hp.optimizer not in _OPTIMIZERS:
        allowed = ", ".join(_OPTIMIZERS)
        raise ValueError(f"`optimizer` must be one of {allowed}, but got {hp.optimizer!r}")
    optimizer = _OPTIMIZERS[hp.optimizer](hp)
    if hp.weight_decay:
        spared = [variable for variable in model.trainable_variables if len(variable.shape) <= 1]
        optimizer.exclude_from_weight_decay(var_list=spared)
    # Keras traces the training step a second time if the optimizer makes its variables in the first.
    optimizer.build(model.trainable_variables)
    model.compile(
        optimizer=optimizer,
        loss=CrossEntropy(hp.label_smoothing),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        # XLA took longer to compile a network than it saved in a short trial, on every network tried.
        jit_compile=False,
    )
