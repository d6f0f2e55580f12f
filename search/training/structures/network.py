"""The network of one trial: a backbone and a head whose graph functions were traced before, or are now."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from search.training.seeds import derived_seed
from search.training.tensorflow_runtime import assign, unoptimized, value_of
from search.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.training.feed import TrainingFeed
    from search.training.hyperparameters import Hyperparameters
    from search.training.structures.optimizers import Settings
    from search.training.structures.parts import Backbone, Head
    from search.training.structures.update import Update
    from search.training.tensorflow_runtime import Forward


_MANY_STEPS = 10**6


def _ahead(feed: TrainingFeed) -> Iterator[tuple[Any, Any]]:
    """The batches of a feed, each made while the one before is trained on."""
    if not feed.num_batches:
        return
    with ThreadPoolExecutor(1) as maker:
        made = maker.submit(feed.__getitem__, 0)
        for step in range(1, feed.num_batches + 1):
            batch = made.result()
            if step < feed.num_batches:
                made = maker.submit(feed.__getitem__, step)
            yield batch


class JointOptimizer:
    """The optimizers of both parts, as one."""

    def __init__(self, learning_rate: keras.Variable, updates: Sequence[Update]) -> None:
        """Join them; `learning_rate` is that of both."""
        self.learning_rate = learning_rate
        """Of the steps to come; may be assigned to."""
        self._updates = updates

    @property
    def variables(self) -> list[keras.Variable]:
        """All that decides how they go on, in an order that the structure fixes."""
        return [self.learning_rate, *(variable for update in self._updates for variable in update.state)]


@dataclass
class Tally:
    """What the steps leave behind; in an object of its own, because Keras looks through whatever a model is given."""

    sums: Any = field(default_factory=lambda: np.zeros(3))
    """Of the stretch so far (3,): images, loss and right answers over them."""
    signs: tuple[Any, Any, Any] | None = None
    """Of the last step, as the graph functions gave them."""


class TrialNetwork(keras.Model):
    """A Keras model whose training step is ordinary Python over a few graph functions.

    The backbone's two passes with a gap between them, the head's, which fill it, and each one's optimizer are functions
    of their own. So a new head costs no trace of the backbone, and no batch size costs any.
    Weights are in the order of `build_model`'s.
    """

    def __init__(self, backbone: Backbone, head: Head, settings: Settings) -> None:
        """Join them; `begin` comes before training."""
        super().__init__(name="network")
        self.preprocessing, self.backbone, self.head = backbone.preprocessing, backbone.model, head.model
        self._parts = (backbone, head)
        self._settings = settings
        self._updates: tuple[Any, ...] = ()
        self._tally = Tally()
        self._micro_batch: int | None = None
        self.built = True

    def begin(
        self, hp: Hyperparameters, seed: int, micro_batch: int | None = None, epoch_steps: int = _MANY_STEPS
    ) -> None:
        """Put everything to where a trial of `hp` with `seed`, whose epochs have `epoch_steps`, begins.

        A step takes `micro_batch` images at once, or its whole batch; the update is of the whole batch
        either way. BatchNorm sees what is taken at once, as on several GPUs (Hoffer and others, "Train longer,
        generalize better", 2017, section 4).
        """
        settings = self._settings
        self._micro_batch = micro_batch
        settings.begin(hp)
        for place, part in enumerate(self._parts):
            part.initial.restore(derived_seed(seed, place))
        self._updates = tuple(part.update(hp, settings) for part in self._parts)
        self.optimizer = JointOptimizer(settings.learning_rate, self._updates)
        averaged = self.trainable_variables if hp.is_averaged else []
        self.average = WeightAverage(averaged, hp.batch_size, epoch_steps, read=value_of, assign=assign)

    @property
    def forward(self) -> Forward:
        """Images (n, height, width, channels) as bytes to logits (n, classes), as validation sees them."""
        backbone, head = self._parts
        return lambda images: head.infer(backbone.infer(images)).numpy()

    @property
    def forward_training(self) -> Callable[[Any], Any]:
        """Images to features as in a training step: each BatchNorm layer sees its batch."""
        return unoptimized(self._parts[0].forward)

    def call(self, images: Any, training: bool = False) -> Any:
        """Logits; training does not come this way."""
        return self.head(self.backbone(self.preprocessing(images)), training=training)

    def fit(self, feed: TrainingFeed, *, epochs: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train on all batches of `feed`, `epochs` times, with Keras' callbacks around each step.

        Keras' own `fit` makes a `tf.data` pipeline of the feed and runs each step under a distribution strategy: as
        long as a fifth of a step of LeNet-5 takes. Here the next batch is made while a step runs, and that is all.

        Before its first run TensorFlow takes seconds over the graph of both passes. Meanwhile a second thread traces
        what comes after it, which for a new DenseNet121 takes as long: the updates, and what validation needs.
        """
        hooks = keras.callbacks.CallbackList(callbacks, model=self)
        self.stop_training = False
        hooks.on_train_begin()
        _ = self._parts[0].passes  # before the other thread begins: two that trace at once take turns
        with ThreadPoolExecutor(1) as aside:
            preparation = aside.submit(self._prepare)
            for epoch in range(epochs):
                self.reset_metrics()
                hooks.on_epoch_begin(epoch)
                logs = self._train(feed, hooks)
                preparation.result()
                hooks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
        hooks.on_train_end()

    def _train(self, feed: TrainingFeed, hooks: keras.callbacks.CallbackList) -> dict[str, float]:
        """Train on the batches of `feed`, if it has any; the means of all steps, those before a pause included."""
        logs = self._logs()
        for step, batch in enumerate(_ahead(feed)):
            hooks.on_train_batch_begin(step)
            logs = self.train_step(batch)
            hooks.on_train_batch_end(step, logs)
            if self.stop_training:
                break
        return logs

    def _prepare(self) -> None:
        """Trace what the first step needs last, then what validation needs."""
        for update in self._updates:
            update.prepare()
        for part in self._parts:
            _ = part.infer

    def train_step(self, data: tuple[Any, Any]) -> dict[str, float]:
        """One step; the epoch's means so far of loss and accuracy."""
        images, labels = data
        n = len(labels)
        is_too_large = self._micro_batch is not None and self._micro_batch < n
        derive = self._derive_in_parts if is_too_large else self._derive
        loss, n_right, answers, gradients = derive(images, labels)
        n_backbone = len(self._parts[0].variables)
        first = self._updates[0](gradients[:n_backbone])
        last = self._updates[1](gradients[n_backbone:])
        mean = float(loss)
        n_together = n if self._micro_batch is None else min(n, self._micro_batch)
        tally = self._tally
        tally.signs = (answers, last if first is None else first, last) if n_together > 1 else None
        tally.sums += (n, mean * n, float(n_right))
        return self._logs()

    def _logs(self) -> dict[str, float]:
        """The means so far of loss and accuracy; none before the first step."""
        n_images, loss, n_right = self._tally.sums
        return {"loss": loss / n_images, "accuracy": n_right / n_images} if n_images else {}

    def _derive(self, images: Any, labels: Any) -> tuple[Any, Any, Any, list[Any]]:
        """Mean loss, images answered rightly, the head's signs of life, and the loss' gradients."""
        backbone, head = self._parts
        found: list[Any] = []

        def above(features: Any, labels: Any) -> Any:
            *said, (slope, *last) = head.derive(features, labels)
            found.extend((*said, last))
            return slope.numpy()

        first = backbone.derive(images, labels, above)
        loss, n_right, answers, last = found
        return loss, n_right, answers, [*first, *last]

    def _derive_in_parts(self, images: Any, labels: Any) -> tuple[Any, Any, Any, list[Any]]:
        """The same for a micro-batch at a time, of which only the sums are kept."""
        sums: list[Any] = []
        assert self._micro_batch is not None
        for start in range(0, len(labels), self._micro_batch):
            part = slice(start, start + self._micro_batch)
            loss, n_right, answers, gradients = self._derive(images[part], labels[part])
            share = len(labels[part]) / len(labels)
            shares = [n_right, *(value * share for value in (loss, answers, *gradients))]
            sums = [total + value for total, value in zip(sums, shares, strict=True)] if sums else shares
        n_right, loss, answers, *gradients = sums
        return loss, n_right, answers, gradients

    def signs(self) -> dict[str, float] | None:
        """The vital signs of the last step, as `vitals.signs.Signs` names them.

        Of a backbone without kernels there are none: the head's stand in for them. None where images were
        taken one at a time: whether answers differ between images is not seen then.
        """
        if self._tally.signs is None:
            return None
        (loss, spread, dead), (gradient_first, ratio), (gradient_last, _) = (
            map(float, one.numpy()) for one in self._tally.signs
        )
        return {
            "loss": loss,
            "spread": spread,
            "gradient_first": gradient_first,
            "gradient_last": gradient_last,
            "update_ratio": ratio,
            "dead_units": dead,
        }

    def reset_metrics(self) -> None:
        """Begin new means, as before each stretch."""
        self._tally.sums = np.zeros(3)

    @property
    def means(self) -> list[float]:
        """What the epoch's means so far are made of: images, and sums of loss and right answers over them."""
        return [float(value) for value in self._tally.sums]

    @means.setter
    def means(self, values: list[float]) -> None:
        self._tally.sums = np.array(values)
