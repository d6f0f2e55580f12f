"""Looks at each judgement of a trial from outside: the same weights with other averages."""

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

N_SAMPLES = 3
BATCH_SIZE = 128
"""Images in a batch that averages are computed from, as in `search.training.batch_norm`."""


@contextmanager
def watching(make_watch: Callable[[Session, Dataset, Forward, Timed], TrialCallback]) -> Iterator[None]:
    """Have each judgement of the trials within looked at, by a callback behind the trainer's own."""
    make: Callable[..., list[TrialCallback]] = vars(fit)["trial_callbacks"]

    def make_more(session: Session, dataset: Dataset, feed: Any, averages: HonestAverages, forward: Forward) -> Any:
        timed = Timed(averages)
        return [*make(session, dataset, feed, timed, forward), make_watch(session, dataset, forward, timed)]

    with patch.object(fit, "trial_callbacks", make_more):
        yield


class Timed:
    """The trainer's averages, and how long they took."""

    def __init__(self, averages: HonestAverages) -> None:
        """Nothing yet."""
        self._averages = averages
        self.seconds = 0.0

    def recompute(self, n_images: int, after_batch: Callable[[], bool]) -> None:
        """As the trainer's own."""
        begun = time.perf_counter()
        self._averages.recompute(n_images, after_batch)
        self.seconds += time.perf_counter() - begun


class Watch(TrialCallback):
    """Keeps moving averages as Keras would have, and compares at each judgement; its time counts nowhere."""

    def __init__(self, session: Session, dataset: Dataset, forward: Forward, momenta: tuple[float, ...]) -> None:
        """Keep averages that move with each of `momenta`."""
        super().__init__(session)
        self._dataset = dataset
        self._forward = forward
        self._layers = batch_norm_layers(session.model)
        self._moving = {momentum: self._averages() for momentum in momenta}

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Move the averages as Keras does: what an honest step leaves in them are the moments of its batch."""
        self.session.stopwatch.switch(None)
        batch = self._averages()
        for momentum, kept in self._moving.items():
            self._moving[momentum] = [old + (1 - momentum) * (new - old) for old, new in zip(kept, batch, strict=True)]
        self.session.stopwatch.switch("train")

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Compare, and leave the model as it was."""
        self.session.stopwatch.switch(None)
        variables = self.session.model.non_trainable_variables
        state = [variable.numpy() for variable in variables]
        self._compare(metrics, self._judged_on(metrics))
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        self.session.stopwatch.switch("train")

    def _compare(self, metrics: dict[str, float], judged_on: np.ndarray) -> None:
        """Look at the judgement with these metrics, which was made on these images."""
        raise NotImplementedError

    def _averages(self) -> Averages:
        return [np.stack([layer.moving_mean.numpy(), layer.moving_variance.numpy()]) for layer in self._layers]

    def _computed(self, indices: np.ndarray, size: int) -> Averages:
        """Averages of training images, in batches of `size`."""
        sums = [np.zeros((2, *layer.moving_mean.shape)) for layer in self._layers]
        for start in range(0, len(indices) if self._layers else 0, size):
            batch = indices[start : start + size]
            self.session.model.forward_training(self._dataset.images[batch])
            moments = [np.stack([mean, variance + mean**2]) for mean, variance in self._averages()]
            sums = [one + len(batch) * new for one, new in zip(sums, moments, strict=True)]
        means = [one / len(indices) for one in sums]
        return [np.stack([mean, square - mean**2]) for mean, square in means]

    def _whole(self) -> Averages:
        """Averages of all training images, in batches of the size that was trained with."""
        order = np.random.default_rng(0).permutation(self._dataset.train)
        return self._computed(order, self.session.hp.batch_size)

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


class Honesty(Watch):
    """Says of each judgement whether it is true, and what the averages cost."""

    def __init__(
        self, session: Session, dataset: Dataset, forward: Forward, timed: Timed, say: Callable[[Row], None]
    ) -> None:
        """Give each `Row` to `say`."""
        # Those of `honest_scores.NETWORKS` all have Keras' default; the trainer has set its own in the layers.
        self._momentum = keras.layers.BatchNormalization().momentum
        super().__init__(session, dataset, forward, (self._momentum,))
        self._timed = timed
        self._say = say
        self._before = (0.0, 0.0)

    def _compare(self, metrics: dict[str, float], judged_on: np.ndarray) -> None:
        session, spent = self.session, self.session.stopwatch.read()
        now = (self._timed.seconds, spent.train + spent.validate + spent.checkpoint)
        with session.model.average.in_place():
            whole, kept = (
                self._accuracy(averages, judged_on) for averages in (self._whole(), self._moving[self._momentum])
            )
        row = Row(
            network=session.hp.architecture, batch_size=session.hp.batch_size, epoch=session.epochs,
            train=metrics["accuracy"], reported=metrics["val_accuracy"], whole=whole, keras=kept,
            n_train=len(self._dataset.train), n_validation=len(judged_on),
            cost=now[0] - self._before[0], seconds=now[1] - self._before[1],
        )  # fmt: skip
        self._before = now
        self._say(row)


class Cures(Watch):
    """What the weights of each judgement are worth with averages from elsewhere, next to those of all images."""

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        forward: Forward,
        cures: tuple[tuple[float, ...], tuple[int, ...]],
        say: Callable[[str, float], None],
    ) -> None:
        """Try momenta, and numbers of images to compute averages from; `say` hears how far off each is."""
        momenta, self._sizes = cures
        super().__init__(session, dataset, forward, momenta)
        self._say = say

    def _compare(self, metrics: dict[str, float], judged_on: np.ndarray) -> None:
        with self.session.model.average.in_place():
            whole = self._accuracy(self._whole(), judged_on)
            for momentum, averages in self._moving.items():
                self._say(f"moving, momentum {momentum:g}", self._accuracy(averages, judged_on) - whole)
            for size in self._sizes:
                for seed in range(N_SAMPLES):
                    chosen = np.random.default_rng(seed).choice(self._dataset.train, size, replace=False)
                    found = self._accuracy(self._computed(chosen, BATCH_SIZE), judged_on)
                    self._say(f"computed from {size:,} images", found - whole)
