"""Keep the worker informed, and listen to it, while an epoch is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.callbacks.base import TrialCallback

if TYPE_CHECKING:
    from search.training.session import Session


class Progress(TrialCallback):
    """Speaks at most once a second, listens at every step."""

    def __init__(self, session: Session, steps: int) -> None:
        """`steps` is the number of steps in an epoch."""
        super().__init__(session)
        self._steps = steps

    def step_ended(self, step: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Speak and listen; the first step of an attempt is where its setup ends."""
        if self.session.stopwatch.phase == "setup":
            self.session.stopwatch.switch("train")
        self.session.listen(step, self._steps)
