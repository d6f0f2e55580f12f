"""What all callbacks of a trial have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from search.training.course import Stretch
    from search.training.session import Session


class TrialCallback(keras.callbacks.Callback):
    """A callback that never raises: an error ends the trial in order and is raised after `fit`.

    Subclasses override the four hooks below. None of them is called any more once the stretch
    under way does not count (`Session.is_abandoned`). What Keras calls an epoch is here a
    stretch: an epoch, or a part of one up to where the trial is judged.
    """

    def __init__(self, session: Session) -> None:
        """Serve the trial of `session`."""
        super().__init__()
        self.session = session

    def stretch_begins(self, stretch: Stretch) -> None:
        """Called before the first step of a stretch."""

    def step_begins(self, step: int) -> None:
        """Called before a training step; steps count from 1 in each epoch."""

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Called after a training step, with the stretch's means so far."""

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Called after a stretch; what is put into `metrics` the later callbacks find there."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook; `epoch` counts the stretches of this `fit`."""
        self._guarded(self.stretch_begins, self.session.ahead[epoch])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook; `batch` counts the steps of the stretch."""
        self._guarded(self.step_begins, self._step(batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keras' hook."""
        self._guarded(self.step_ended, self._step(batch), logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook."""
        self._guarded(self.stretch_ended, logs)

    def _step(self, batch: int) -> int:
        stretch = self.session.stretch
        assert stretch is not None  # `Order` comes first
        return stretch.first + batch + 1

    def _guarded(self, hook: Callable[..., None], *arguments: Any) -> None:
        if self.session.is_abandoned:
            return
        try:
            hook(*arguments)
        except Exception as error:  # noqa: BLE001 - raised again after `fit`
            self.session.fail(error)
