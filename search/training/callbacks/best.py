"""Keep what the best judgement has shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.training import files
from search.training.callbacks.base import TrialCallback
from search.training.checkpoints import save_weights
from search.training.messages import PARTIAL

if TYPE_CHECKING:
    from search.training.callbacks.validation import Validation
    from search.training.session import Session


class Best(TrialCallback):
    """Closes the books on a judgement: counts it, and keeps weights and confusion counts if it is the best.

    Patience and plateau count whole epochs; a judgement within one only decides what is best.
    """

    def __init__(self, session: Session, classes: Sequence[str], validation: Validation) -> None:
        """`classes` are the classes' names, `validation` has the scores."""
        super().__init__(session)
        self._classes = list(classes)
        self._validation = validation

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Compare by the trial's metric; one that is only equal is no better."""
        session, state = self.session, self.session.state
        assert session.stretch is not None
        metrics["learning_rate"] = float(session.model.optimizer.learning_rate.numpy())
        value = session.value(metrics)
        if (part := self._validation.part) is not None:
            metrics[PARTIAL] = part
        state.images = state.position = session.course.images_at(session.stretch.epoch, session.step)
        state.means = []
        state.curve.append({"epoch": session.epochs, "images": state.images, **metrics})
        if session.step == session.course.steps:
            session.count_epoch(value)
        if session.is_better(value, is_partial=part is not None):
            self._save(state.images)
            state.best_images, state.best_value, state.best_metrics = state.images, value, dict(metrics)

    def _save(self, images: int) -> None:
        folder = self.session.folder
        self.session.stopwatch.switch("checkpoint")
        model = self.session.model
        save_weights(files.best_weights(folder, images), model.average.values(model.weights))
        assert self._validation.scores is not None
        counted = self._validation.scores.confusion.to_json()
        files.write_json(files.best_confusion(folder, images), {"classes": self._classes, **counted})
