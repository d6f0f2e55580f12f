"""Keep the worker informed, and listen to it, while the trial is trained."""

from __future__ import annotations

from search.training.callbacks.base import TrialCallback


class Progress(TrialCallback):
    """Speaks at most once a second, listens at every step."""

    def step_ended(self, step: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Speak and listen; the first step of an attempt is where its setup ends."""
        if self.session.stopwatch.phase == "setup":
            self.session.stopwatch.switch("train")
        self.session.listen(step)
