"""Keep after each judgement what the trial can be continued from."""

from __future__ import annotations

import logging

from search.training import files
from search.training.callbacks.base import TrialCallback
from search.training.checkpoints import save_checkpoint

_log = logging.getLogger(__name__)


class Checkpoint(TrialCallback):
    """Writes a checkpoint after each whole stretch.

    Without room on the disk the trial goes on: all it loses is a later point to continue from. A
    stretch that was cut short leaves none, because what follows from it is not the trial's curve.
    """

    def stretch_ended(self, metrics: dict[str, float]) -> None:  # noqa: ARG002
        """Write it."""
        session = self.session
        if session.is_cut_short:
            return
        session.stopwatch.switch("checkpoint")
        try:
            save_checkpoint(session.folder, session.identity, session.snapshot(), session.model)
        except OSError as error:
            _log.warning("no checkpoint at %d images: %s", session.state.images, error)
        # Only now: until this checkpoint is whole, the ones before need the best weights they speak of.
        files.prune(session.folder)
