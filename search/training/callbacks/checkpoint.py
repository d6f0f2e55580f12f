"""Keep after each epoch what the trial can be continued from."""

from __future__ import annotations

import logging

from search.training import files
from search.training.callbacks.base import TrialCallback
from search.training.checkpoints import save_checkpoint

_log = logging.getLogger(__name__)


class Checkpoint(TrialCallback):
    """Writes a checkpoint after each whole epoch.

    Without room on the disk the trial goes on: all it loses is a later point to continue from. An
    epoch that was cut short leaves none, because what follows from it is not the trial's curve.
    """

    def epoch_ended(self, metrics: dict[str, float]) -> None:  # noqa: ARG002
        """Write it."""
        session = self.session
        if session.is_partial:
            return
        session.stopwatch.switch("checkpoint")
        try:
            save_checkpoint(session.folder, session.identity, session.snapshot(), session.model)
        except OSError as error:
            _log.warning("no checkpoint after epoch %d: %s", session.state.epoch, error)
        # Only now: until this checkpoint is whole, the ones before need the best weights they speak of.
        files.prune(session.folder)
