"""The order of the images: another one each epoch, the same one each time a trial is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.callbacks.base import TrialCallback

if TYPE_CHECKING:
    from search.training.course import Stretch
    from search.training.feed import TrainingFeed
    from search.training.session import Session


class Order(TrialCallback):
    """Tells session and feed which stretch begins; Keras has no word for it."""

    def __init__(self, session: Session, feed: TrainingFeed) -> None:
        """Set `feed` to each stretch."""
        super().__init__(session)
        self._feed = feed

    def stretch_begins(self, stretch: Stretch) -> None:
        """Begin it, or go on in its middle where a checkpoint was written there."""
        session = self.session
        session.stretch, session.step = stretch, stretch.first
        self._feed.start(stretch)
        if session.state.means:
            session.model.means = session.state.means
