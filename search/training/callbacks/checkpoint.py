"""Keep what the trial can be continued from."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from search.training import files
from search.training.callbacks.base import TrialCallback
from search.training.checkpoints import save_checkpoint

if TYPE_CHECKING:
    from search.training.callbacks.vitals import Vitals
    from search.training.session import Session

_log = logging.getLogger(__name__)


class Checkpoint(TrialCallback):
    """Writes a checkpoint after each whole stretch, where a trial pauses in its middle, and as often as it is asked to.

    Without room on the disk the trial goes on: all it loses is a later point to continue from. A
    stretch that was cut short leaves none, because what follows from it is not the trial's curve.
    """

    def __init__(self, session: Session, vitals: Vitals) -> None:
        """Keep what `vitals` remembers, too."""
        super().__init__(session)
        self._vitals = vitals
        self._written_at = time.monotonic()

    def step_ended(self, step: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Write it if it is time to."""
        session, seconds = self.session, self.session.command.checkpoint_seconds
        assert session.stretch is not None
        is_within = step < session.stretch.last and not session.is_over
        if seconds is not None and is_within and time.monotonic() - self._written_at >= seconds:
            self._write_within()
            session.stopwatch.switch("train")

    def stretch_ended(self, metrics: dict[str, float]) -> None:  # noqa: ARG002
        """Write it."""
        if not self.session.is_cut_short:
            self._write()

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Keras' hook: a trial that pauses is to go on at the step where it stands."""
        session = self.session
        assert session.stretch is not None
        # A pause in the middle of an evaluation comes after the last step: then the evaluation is what comes next.
        has_stepped = session.is_abandoned and session.stretch.first < session.step
        if has_stepped and session.ending == "paused" and session.failure is None:
            self._write_within()

    def _write_within(self) -> None:
        session, state = self.session, self.session.state
        assert session.stretch is not None
        state.position = session.course.images_at(session.stretch.epoch, session.step)
        state.means = session.model.means
        self._vitals.note(state)
        state.signs = list(session.vitals)
        self._write()

    def _write(self) -> None:
        session = self.session
        session.stopwatch.switch("checkpoint")
        try:
            model = None if session.outcome else session.model
            save_checkpoint(session.folder, session.identity, session.snapshot(), model)
        except OSError as error:
            _log.warning("no checkpoint at %d images: %s", session.state.position, error)
        # Only now: until this checkpoint is whole, the ones before need the best weights they speak of.
        files.prune(session.folder)
        self._written_at = time.monotonic()
