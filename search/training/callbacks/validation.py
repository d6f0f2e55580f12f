"""What the epoch's weights are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.callbacks.base import TrialCallback
from search.training.scoring import Scores, logits_of

if TYPE_CHECKING:
    from search.training.batch_norm import HonestAverages
    from search.training.data.dataset import Dataset
    from search.training.session import Session
    from search.training.tensorflow_runtime import Forward


class Validation(TrialCallback):
    """Makes BatchNorm's averages true, then adds `val_loss` and `val_accuracy` to the metrics."""

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        averages: HonestAverages | None,
        forward: Forward,
        steps: int,
    ) -> None:
        """Validate on `dataset.validation` through `forward`; None keeps Keras' own averages."""
        super().__init__(session)
        self._dataset = dataset
        self._averages = averages
        self._forward = forward
        self._steps = steps
        self.scores: Scores | None = None
        """Of the last epoch."""

    def epoch_ended(self, metrics: dict[str, float]) -> None:
        """Validate; an interrupt to pause is followed in the middle of it."""
        self.session.stopwatch.switch("validate")
        if self._averages is not None:
            self._averages.recompute(self._goes_on)
        if self._goes_on():
            data = self._dataset
            logits = logits_of(self._forward, data.images, data.validation, self._goes_on)
        if not self.session.is_abandoned:
            self.scores = Scores.of(logits, data.labels[data.validation])
            metrics["val_loss"] = self.scores.loss
            metrics["val_accuracy"] = self.scores.accuracy

    def _goes_on(self) -> bool:
        self.session.listen(self._steps, self._steps)
        return not self.session.is_abandoned
