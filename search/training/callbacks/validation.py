"""What the weights are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.batch_norm import sample_size
from search.training.callbacks.base import TrialCallback
from search.training.callbacks.vitals import guessing_of
from search.training.data.split import stratified
from search.training.scoring import Scores, logits_of
from search.training.vitals.diagnosis import GUESSING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.training.batch_norm import HonestAverages
    from search.training.data.dataset import Dataset
    from search.training.session import Session
    from search.training.tensorflow_runtime import Forward


class Validation(TrialCallback):
    """Makes BatchNorm's averages true, then adds `val_loss` and `val_accuracy` to the metrics.

    All with the mean of the weights, see `search.training.weight_average`; the averages remain those of the mean.

    At a rung within the first epoch a part of the validation images will do: a fixed one,
    stratified, the same for every trial on these data. A trial that ends there is still
    measured on all of them.
    """

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        averages: HonestAverages | None,
        forward: Forward,
    ) -> None:
        """Validate on `dataset.validation` through `forward`; None keeps Keras' own averages."""
        super().__init__(session)
        self._dataset = dataset
        self._averages = averages
        self._forward = forward
        self._guessing = guessing_of(dataset)
        self.scores: Scores | None = None
        """Of the last judgement."""
        self.part: int | None = None
        """Images it was made on; None for the whole validation part."""

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Validate; an interrupt to pause is followed in the middle of it."""
        self.session.stopwatch.switch("validate")
        with self.session.model.average.in_place():
            if self._averages is not None:
                self._averages.recompute(sample_size(self._trained()), self._goes_on)
            data = self._dataset
            while self._goes_on():
                indices = self._indices()
                logits = logits_of(self._forward, data.images, indices, self._goes_on)
                if self.part is None or self.session.ending is None:
                    break  # else it was to end meanwhile, and then all images count
        if not self.session.is_abandoned:
            self.scores = Scores.of(logits, data.labels[indices])
            metrics["val_loss"] = self.scores.loss
            metrics["val_accuracy"] = self.scores.accuracy
            if self.session.condition in GUESSING and self._guessing.is_beaten(self.scores.accuracy):
                self.session.condition = "learning"  # whatever the losses of its batches say

    def _trained(self) -> int:
        """Images since the last judgement."""
        session = self.session
        assert session.stretch is not None
        return session.course.images_at(session.stretch.epoch, session.step) - session.state.images

    def _indices(self) -> NDArray[np.int64]:
        session, data = self.session, self._dataset
        course, stretch = session.course, session.stretch
        assert stretch is not None
        is_early = stretch.epoch == 0 and session.step < course.steps and session.ending is None
        n = len(data.validation)
        if is_early:  # one of each class at least
            n = max(course.part_at(course.images_at(0, session.step)), len(data.classes))
        self.part = n if n < len(data.validation) else None
        if self.part is None:
            return data.validation
        return data.validation[stratified(data.labels[data.validation], len(data.classes), n, seed=0)]

    def _goes_on(self) -> bool:
        self.session.listen(self.session.step)
        return not self.session.is_abandoned
