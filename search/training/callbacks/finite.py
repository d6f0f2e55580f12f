"""Notice a training that has left the finite numbers."""

from __future__ import annotations

import math

from search.training.callbacks.base import TrialCallback
from search.training.errors import DivergedError


class Finite(TrialCallback):
    """Fails the trial as diverged at the first step whose loss is NaN or infinite."""

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Look at the mean loss so far: one bad step spoils it."""
        if not math.isfinite(logs["loss"]):
            rate = float(self.session.model.optimizer.learning_rate.numpy())
            raise DivergedError(
                f"the loss was {logs['loss']} at step {step} of epoch {self.session.state.epoch + 1}, "
                f"with learning rate {rate:.3g}; try a tenth of it"
            )
