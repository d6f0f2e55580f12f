"""Stop a trial that gets no better."""

from __future__ import annotations

from search.training.callbacks.base import TrialCallback


class EarlyStopping(TrialCallback):
    """Ends the trial when `patience` epochs in a row were no better than the best."""

    def stretch_ended(self, metrics: dict[str, float]) -> None:  # noqa: ARG002
        """Compare; a trial that has trained all its epochs has finished and not stopped early."""
        if self.session.outcome == "early_stopped":
            self.session.end("early_stopped")
