"""How the learning rate changes while a trial is trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from search.training.callbacks.base import TrialCallback

if TYPE_CHECKING:
    from search.training.session import Session

SCHEDULES = ("constant", "cosine", "plateau")
_PLATEAU_FACTOR = 0.5
_PLATEAU_SHARE = 3  # of the patience: two halvings before training stops early


class Schedule(TrialCallback):
    """Sets the learning rate: constant, half a cosine to zero, or halved on a plateau.

    `cosine` falls at every step over all epochs of the space (Loshchilov and Hutter, "SGDR", 2017,
    without restarts). `plateau` halves the rate when a third of the patience (at least one epoch)
    has passed without a better value.
    """

    def __init__(self, session: Session) -> None:
        """Follow the schedule of the session's trial.

        Raises:
            ValueError: if the trial's schedule is none that is known.
        """
        super().__init__(session)
        self._name = session.hp.schedule
        if self._name not in SCHEDULES:
            raise ValueError(f"`schedule` must be one of {', '.join(SCHEDULES)}, but got {self._name!r}")

    def step_begins(self, step: int) -> None:
        """Follow the cosine."""
        if self._name == "cosine":
            hp, steps = self.session.hp, self.session.course.steps
            done = (self.session.state.epoch * steps + step - 1) / (hp.epochs * steps)
            self._set(hp.learning_rate * 0.5 * (1 + math.cos(math.pi * done)))

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Notice a plateau."""
        state = self.session.state
        patience = max(1, self.session.hp.patience // _PLATEAU_SHARE)
        if self._name == "plateau" and state.stalled_epochs >= patience:
            self._set(metrics["learning_rate"] * _PLATEAU_FACTOR)
            state.stalled_epochs = 0

    def _set(self, learning_rate: float) -> None:
        self.session.model.optimizer.learning_rate.assign(learning_rate)
