"""Keep what the best epoch has reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.training import files
from search.training.callbacks.base import TrialCallback
from search.training.checkpoints import save_weights

if TYPE_CHECKING:
    from search.training.callbacks.validation import Validation
    from search.training.session import Session


class Best(TrialCallback):
    """Closes the books on an epoch: counts it, and keeps weights and confusion counts if it is the best."""

    def __init__(self, session: Session, classes: Sequence[str], validation: Validation) -> None:
        """`classes` are the classes' names, `validation` has the epoch's scores."""
        super().__init__(session)
        self._classes = list(classes)
        self._validation = validation

    def epoch_ended(self, metrics: dict[str, float]) -> None:
        """Compare by the trial's metric; an epoch that is only equal is no better."""
        session, state = self.session, self.session.state
        metrics["learning_rate"] = float(session.model.optimizer.learning_rate.numpy())
        value = session.value(metrics)
        state.epoch += 1
        state.curve.append(dict(metrics))
        state.epochs_without_gain += 1
        state.stalled_epochs += 1
        if session.is_better(value):
            self._save(state.epoch)
            state.best_epoch, state.best_value, state.best_metrics = state.epoch, value, dict(metrics)
            state.epochs_without_gain = state.stalled_epochs = 0

    def _save(self, epoch: int) -> None:
        folder = self.session.folder
        self.session.stopwatch.switch("checkpoint")
        save_weights(files.best_weights(folder, epoch), self.session.model)
        assert self._validation.scores is not None
        counts = self._validation.scores.confusion.tolist()
        files.write_json(files.best_confusion(folder, epoch), {"classes": self._classes, "counts": counts})
