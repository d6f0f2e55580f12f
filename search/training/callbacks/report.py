"""Tell the worker what each judgement was, and do as it says."""

from __future__ import annotations

from search.training.callbacks.base import TrialCallback


class Report(TrialCallback):
    """Sends the metrics once everything of it is on disk, and waits for the verdict."""

    def stretch_ended(self, metrics: dict[str, float]) -> None:
        """Report and wait."""
        self.session.report(metrics)
