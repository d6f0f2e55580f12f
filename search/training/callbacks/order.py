"""The order of the images: another one each epoch, the same one each time a trial is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.callbacks.base import TrialCallback

if TYPE_CHECKING:
    from search.training.feed import TrainingFeed
    from search.training.session import Session


class Order(TrialCallback):
    """Tells the feed which epoch begins; Keras has no word for it."""

    def __init__(self, session: Session, feed: TrainingFeed) -> None:
        """Shuffle `feed` for each epoch."""
        super().__init__(session)
        self._feed = feed

    def epoch_begins(self, epoch: int) -> None:
        """Shuffle."""
        self._feed.start_epoch(epoch - 1)
