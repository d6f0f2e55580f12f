"""Whether a trial can reach another score in the time that is left."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.trial import TrialRecord


def fits(params: Mapping[str, Any], trials: Sequence[TrialRecord], seconds_left: float | None) -> bool:
    """Whether set-up and one epoch of a point are likely to end within `seconds_left`.

    True where there is no limit, and where no trial of the same architecture tells.
    """
    if seconds_left is None:
        return True
    needed = seconds_for_an_epoch(params.get("architecture"), trials)
    return needed is None or needed <= seconds_left


def seconds_for_an_epoch(architecture: object, trials: Sequence[TrialRecord]) -> float | None:
    """Median seconds from a claim to a new score, over the trials of an architecture; None for no trial.

    Set-up counts whole: a trial that is continued compiles its network again.
    """
    outcomes = [trial.outcome for trial in trials if trial.params.get("architecture") == architecture]
    known = [
        seconds.get("setup", 0.0) + (seconds.get("total", 0.0) - seconds.get("setup", 0.0)) / outcome.epochs
        for outcome in outcomes
        if outcome is not None and outcome.epochs and (seconds := outcome.seconds)
    ]
    return statistics.median(known) if known else None
