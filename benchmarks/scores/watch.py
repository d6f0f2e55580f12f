"""Looks at each epoch of a trial from outside: the same weights with other averages."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import keras
import numpy as np

from scores.rows import Row
from search.training import fit
from search.training.callbacks.base import TrialCallback
from search.training.data.split import stratified
from search.training.messages import PARTIAL
from search.training.models import batch_norm_layers
from search.training.scoring import logits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from search.training.batch_norm import HonestAverages
    from search.training.data.dataset import Dataset
    from search.training.session import Session
    from search.training.tensorflow_runtime import Forward

    Averages = list[np.ndarray]
    """Of each layer (2, channels): mean and variance."""


@contextmanager
def watching(say: Callable[[Row], None]) -> Iterator[None]:
    """Have each epoch of the trials within looked at, by a callback behind the trainer's own."""
    make: Callable[..., list[TrialCallback]] = vars(fit)["trial_callbacks"]

    def make_more(session: Session, dataset: Dataset, feed: Any, averages: HonestAverages, forward: Forward) -> Any:
        timed = _Timed(averages)
        return [*make(session, dataset, feed, timed, forward), _Watch(session, dataset, timed, forward, say)]

    with patch.object(fit, "trial_callbacks", make_more):
        yield


class _Timed:
    """The trainer's averages, and how long they took."""

    def __init__(self, averages: HonestAverages) -> None:
        self._averages = averages
        self.seconds = 0.0

    def recompute(self, n_images: int, after_batch: Callable[[], bool]) -> None:
        begun = time.perf_counter()
        self._averages.recompute(n_images, after_batch)
        self.seconds += time.perf_counter() - begun


class _Watch(TrialCallback):
    """Keeps the averages that Keras would have, and compares at the end of each epoch; its time counts nowhere."""

    def __init__(
        self, session: Session, dataset: Dataset, timed: _Timed, forward: Forward, say: Callable[[Row], None]
    ) -> None:
        super().__init__(session)
        self._dataset = dataset
        self._timed = timed
        self._forward = forward
        self._say = say
        self._layers = batch_norm_layers(session.model)
        # Those of `honest_scores.NETWORKS` all have Keras' default; the trainer has set its own in the layers.
        self._momentum = keras.layers.BatchNormalization().momentum
        self._keras = self._averages()
        self._before = (0.0, 0.0)

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Move the averages as Keras does: what an honest step leaves in them are the moments of its batch."""
        self.session.stopwatch.switch(None)
        rate = 1 - self._momentum
        self._keras = [old + rate * (new - old) for old, new in zip(self._keras, self._averages(), strict=True)]
        self.session.stopwatch.switch("train")

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Compare, and leave the model as it was."""
        session = self.session
        session.stopwatch.switch(None)
        spent = session.stopwatch.read()
        now = (self._timed.seconds, spent.train + spent.validate + spent.checkpoint)
        variables = session.model.non_trainable_variables
        state = [variable.numpy() for variable in variables]
        judged_on = self._judged_on(metrics)
        with session.model.average.in_place():
            whole, kept = (self._accuracy(averages, judged_on) for averages in (self._whole(), self._keras))
        row = Row(
            network=session.hp.architecture, batch_size=session.hp.batch_size, epoch=session.epochs,
            train=metrics["accuracy"], reported=metrics["val_accuracy"], whole=whole, keras=kept,
            n_train=len(self._dataset.train), n_validation=len(judged_on),
            cost=now[0] - self._before[0], seconds=now[1] - self._before[1],
        )  # fmt: skip
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        self._before = now
        self._say(row)
        session.stopwatch.switch("train")

    def _averages(self) -> Averages:
        return [np.stack([layer.moving_mean.numpy(), layer.moving_variance.numpy()]) for layer in self._layers]

    def _whole(self) -> Averages:
        """Averages of all training images, in batches of the size that was trained with."""
        order = np.random.default_rng(0).permutation(self._dataset.train) if self._layers else np.zeros(0, np.int64)
        size, images = self.session.hp.batch_size, self._dataset.images
        sums = [np.zeros(one.shape) for one in self._keras]
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            self.session.model.forward_training(images[batch])
            moments = [np.stack([mean, variance + mean**2]) for mean, variance in self._averages()]
            sums = [one + len(batch) * new for one, new in zip(sums, moments, strict=True)]
        means = [one / len(order) for one in sums]
        return [np.stack([mean, square - mean**2]) for mean, square in means]

    def _judged_on(self, metrics: dict[str, float]) -> np.ndarray:
        """The validation images of the judgement: at a rung, those that `Validation` takes."""
        data = self._dataset
        if PARTIAL not in metrics:
            return data.validation
        part = stratified(data.labels[data.validation], len(data.classes), int(metrics[PARTIAL]), seed=0)
        return data.validation[part]

    def _accuracy(self, averages: Averages, indices: np.ndarray) -> float:
        for layer, (mean, variance) in zip(self._layers, averages, strict=True):
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)
        data = self._dataset
        logits = logits_of(self._forward, data.images, indices)
        return float((logits.argmax(axis=1) == data.labels[indices]).mean())
