"""What all callbacks of a trial have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from search.training.session import Session


class TrialCallback(keras.callbacks.Callback):
    """A callback that never raises: an error ends the trial in order and is raised after `fit`.

    Subclasses override the four hooks below. None of them is called any more once the epoch under
    way does not count (`Session.is_abandoned`). Epochs and steps count from 1.
    """

    def __init__(self, session: Session) -> None:
        """Serve the trial of `session`."""
        super().__init__()
        self.session = session

    def epoch_begins(self, epoch: int) -> None:
        """Called before the first step of an epoch."""

    def step_begins(self, step: int) -> None:
        """Called before a training step."""

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Called after a training step, with the epoch's means so far."""

    def epoch_ended(self, metrics: dict[str, float]) -> None:
        """Called after an epoch; what is put into `metrics` the later callbacks find there."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook."""
        self._guarded(self.epoch_begins, epoch + 1)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook."""
        self._guarded(self.step_begins, batch + 1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keras' hook."""
        self._guarded(self.step_ended, batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook."""
        self._guarded(self.epoch_ended, logs)

    def _guarded(self, hook: Callable[..., None], *arguments: Any) -> None:
        if self.session.is_abandoned:
            return
        try:
            hook(*arguments)
        except Exception as error:  # noqa: BLE001 - raised again after `fit`
            self.session.fail(error)
