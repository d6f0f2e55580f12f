"""Backbone and head: parts of a network whose graph functions and optimizers outlive a trial."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from search.training.models import batch_norm_layers
from search.training.structures.initial import InitialState
from search.training.structures.update import Update
from search.training.tensorflow_runtime import both_passes, derived_by_size, fuse, traced, with_gradients

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.training.hyperparameters import Hyperparameters
    from search.training.structures.optimizers import Settings


LABELS = ((None,), "int64")
"""Shape and dtype of a batch of them."""


class Part:
    """Layers with variables, the state they begin with, and an optimizer for each kind that was asked for."""

    def __init__(self, model: keras.Model) -> None:
        """Take a model that has just been built."""
        self.model = model
        self.initial = InitialState(model)
        self.variables: list[keras.Variable] = model.trainable_variables
        self._updates: dict[tuple[str, bool], Update] = {}

    @property
    def infer(self) -> Callable[[Any], Any]:
        """The forward pass of validation; what TensorFlow does before a graph's first run is done."""
        raise NotImplementedError

    @property
    def watched(self) -> int | None:
        """Which of the variables tells how the training of this part is; None where it has no kernel."""
        raise NotImplementedError

    @property
    def _kernels(self) -> list[int]:
        return [place for place, variable in enumerate(self.variables) if len(variable.shape) > 1]

    def update(self, hp: Hyperparameters, settings: Settings) -> Update:
        """The update of the optimizer that `hp` asks for, its state at the beginning."""
        kind = (hp.optimizer, bool(hp.weight_decay))
        if kind not in self._updates:
            self._updates[kind] = Update(self.variables, self.watched, hp, settings)
        self._updates[kind].restart()
        return self._updates[kind]


class Backbone(Part):
    """From images (n, height, width, channels) as bytes to features."""

    def __init__(self, preprocessing: keras.Model, model: keras.Model, *, honest: bool) -> None:
        """Trace the forward pass of training.

        Args:
            preprocessing: what comes before the backbone; it has no weights.
            model: the backbone.
            honest: each training pass leaves the moments of its own batch in BatchNorm's moving
                averages, to be averaged before validation; else they move as Keras moves them.
        """
        super().__init__(model)
        self.preprocessing = preprocessing
        for layer in batch_norm_layers(model):
            fuse(layer)
            if honest:
                layer.momentum = 0.0
        self._images = ((None, *preprocessing.input_shape[1:]), "uint8")
        self.forward: Callable[[Any], Any] = traced(
            derived_by_size(lambda images: self._call(images, training=True)), self._images
        )

    def derive(self, images: Any, labels: Any, above: Callable[[Any, Any], Any]) -> list[Any]:
        """The gradients with respect to its variables of a loss that `above` makes of its features.

        `above` is called between the two passes, with features and labels, and gives the gradient with respect
        to the features: whatever stands there, the graph around it remains the same.
        """
        self._above = above
        try:
            return self.passes(images, labels)
        finally:
            del self._above

    @cached_property
    def passes(self) -> Callable[[Any, Any], list[Any]]:
        """Both passes of training, with the gap that `derive` fills."""

        def above(features: Any, labels: Any) -> Any:
            return self._above(features, labels)

        return both_passes(self.forward, self.variables, self._images, LABELS, above)

    @property
    def watched(self) -> int | None:
        """Its first kernel, which a lesson reaches last."""
        return next(iter(self._kernels), None)

    @cached_property
    def infer(self) -> Callable[[Any], Any]:
        """Images to features."""
        return _tried(lambda images: self._call(images, training=False), self._images)

    def _call(self, images: Any, *, training: bool) -> Any:
        return self.model(self.preprocessing(images), training=training)


class Head(Part):
    """From features to logits, and to the loss."""

    def __init__(self, model: keras.Model, settings: Settings) -> None:
        """Trace both passes of training."""
        super().__init__(model)
        self._smoothing = settings.label_smoothing
        self._features = ((None, *model.input_shape[1:]), "float32")
        derived = with_gradients(self._loss, self.variables)
        self.derive: Callable[[Any, Any], Any] = traced(derived, self._features, LABELS)
        """Features and labels to what `_loss` gives, and its gradients with respect to features and variables."""

    @property
    def watched(self) -> int | None:
        """The kernel that makes the logits."""
        return self._kernels[-1]

    @cached_property
    def infer(self) -> Callable[[Any], Any]:
        """Features to logits."""
        return _tried(lambda features: self.model(features, training=False), self._features)

    def _loss(self, features: Any, labels: Any) -> tuple[Any, Any, Any]:
        """Mean loss of a batch, how many of its images are answered rightly, and signs of life (3,).

        These are the loss without smoothing, the spread of the logits and the share of dead features, as in
        `vitals.signs`.
        """
        logits = self.model(features, training=True)
        loss = smoothed_cross_entropy(labels, logits, ops.convert_to_tensor(self._smoothing))
        right = ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32"))
        spread = ops.mean(ops.std(logits, axis=0))
        dead = ops.mean(ops.cast(ops.all(ops.equal(features, 0.0), axis=0), "float32"))
        plain = ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))
        return ops.mean(loss), ops.sum(ops.cast(right, "float32")), ops.stack([plain, spread, dead])


def _tried(function: Callable[[Any], Any], inputs: tuple[tuple[int | None, ...], str]) -> Callable[[Any], Any]:
    """A graph function that has run once, for a single image."""
    run = traced(function, inputs)
    (_, *shape), dtype = inputs
    run(np.zeros((1, *shape), dtype))
    return run


def smoothed_cross_entropy(labels: Any, logits: Any, smoothing: Any) -> Any:
    """The loss of each image: labels (n,), logits (n, classes) to (n,).

    With smoothing s in [0, 1) the target is 1 − s for the true class plus s shared evenly by all
    classes (Szegedy and others, "Rethinking the Inception Architecture", 2016).
    """
    n_classes = logits.shape[-1]
    target = (1 - smoothing) * ops.one_hot(labels, n_classes, dtype=logits.dtype) + smoothing / n_classes
    return ops.categorical_crossentropy(target, logits, from_logits=True)
