"""Tell the worker what each epoch was worth, and do as it says."""

from __future__ import annotations

from search.training.callbacks.base import TrialCallback


class Report(TrialCallback):
    """Sends the epoch's metrics once everything of it is on disk, and waits for the verdict."""

    def epoch_ended(self, metrics: dict[str, float]) -> None:
        """Report and wait."""
        self.session.report(metrics)
