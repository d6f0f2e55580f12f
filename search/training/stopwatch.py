"""Where a trial's time goes."""

from __future__ import annotations

import time
from typing import Literal

from search.training.messages import Seconds

Phase = Literal["setup", "train", "validate", "checkpoint"]


class Stopwatch:
    """Adds wall-clock time to one phase at a time, or to none (while the worker is thinking)."""

    def __init__(self, phase: Phase | None = None) -> None:
        """Start counting towards `phase`."""
        self._phase = phase
        self._since = time.perf_counter()
        self._sums: dict[str, float] = {"setup": 0.0, "train": 0.0, "validate": 0.0, "checkpoint": 0.0}

    @property
    def phase(self) -> Phase | None:
        """What time is counted towards now."""
        return self._phase

    def switch(self, phase: Phase | None) -> None:
        """Count towards `phase` from now on; None stops counting."""
        now = time.perf_counter()
        if self._phase is not None:
            self._sums[self._phase] += now - self._since
        self._phase, self._since = phase, now

    def add(self, earlier: Seconds) -> None:
        """Add what an earlier attempt at the trial has spent."""
        for phase in self._sums:
            self._sums[phase] += getattr(earlier, phase)

    def read(self) -> Seconds:
        """Seconds up to now."""
        self.switch(self._phase)
        return Seconds(**self._sums)
