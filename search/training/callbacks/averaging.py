"""The mean of the weights of late, which is what a trial is judged by."""

from __future__ import annotations

from search.training.callbacks.base import TrialCallback


class Averaging(TrialCallback):
    """Takes each step's weights into the mean; before a step's news can end the trial, so that none is left out."""

    def step_ended(self, step: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Take them in."""
        session = self.session
        assert session.stretch is not None
        session.model.average.add(session.stretch.epoch * session.course.steps + step)
