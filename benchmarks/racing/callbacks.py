"""What the race adds to a peer's training: it writes scores down, and makes BatchNorm's averages true where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from search.training.batch_norm import HonestAverages
from search.training.models import batch_norm_layers
from search.training.tensorflow_runtime import Forward, compiled_forward

if TYPE_CHECKING:
    from racing.board import Board
    from search.training.data.dataset import Dataset


class Report(keras.callbacks.Callback):
    """Each epoch's validation accuracy goes to the board."""

    def __init__(self, board: Board, trial: int, hyperparameters: dict[str, Any]) -> None:
        """Report as this trial."""
        super().__init__()
        self._board, self._trial, self._hyperparameters = board, trial, hyperparameters

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Validation is over: Keras has put its metrics into `logs`."""
        self._board.add(self._trial, epoch + 1, float(logs["val_accuracy"]), self._hyperparameters, self.model)


class HonestValidation(keras.callbacks.Callback):
    """Before each validation, the averages of BatchNorm are computed anew, as hpsearch does it."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        """Compute them from training images of `dataset`; `seed` decides which."""
        super().__init__()
        self._dataset, self._seed = dataset, seed
        self._averages: HonestAverages | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Trace the pass that shows each layer its batch."""
        data = self._dataset
        forward = forward_of_moments(self.model) if batch_norm_layers(self.model) else _never
        self._averages = HonestAverages(self.model, forward, data.images, data.train, seed=self._seed)

    def on_test_begin(self, logs: Any = None) -> None:
        """Keras begins to validate."""
        assert self._averages is not None  # `fit` has begun
        self._averages.recompute()


def forward_of_moments(model: keras.Model) -> Forward:
    """A pass in training mode that leaves the moments of its own batch in BatchNorm's averages.

    The model's own training keeps its momentum: it is traced separately.
    """
    layers = batch_norm_layers(model)
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        return compiled_forward(model, training=True)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def _never(_images: Any) -> Any:
    raise AssertionError("there is nothing to average")
