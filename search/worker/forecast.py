"""How long training takes: what trials of an architecture took so far."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.trial import TrialRecord


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Of one architecture."""

    setup: float
    """Seconds from a claim to the first step, where the network is not in memory."""
    per_image: float
    """Seconds for each image trained on, judging and checkpoints included."""

    def seconds(self, images: int) -> float:
        """From a claim to the judgement `images` further."""
        return self.setup + self.per_image * images


def pace_of(architecture: object, trials: Sequence[TrialRecord]) -> Pace | None:
    """Over the trials of an architecture, the median rate and the shortest set-up; None where none has trained yet.

    The shortest, because most trials find their network in the trainer's memory, and a trial that was
    continued has set up several times.
    """
    alike = [trial for trial in trials if trial.params.get("architecture") == architecture]
    known = [trial for trial in alike if trial.images and trial.seconds.get("total")]
    if not known:
        return None
    setups = [trial.seconds.get("setup", 0.0) for trial in known]
    rates = [
        (trial.seconds.get("total", 0.0) - setup) / trial.images for trial, setup in zip(known, setups, strict=True)
    ]
    return Pace(setup=min(setups), per_image=statistics.median(rates))


def fits(params: Mapping[str, Any], trials: Sequence[TrialRecord], seconds_left: float | None, images: int) -> bool:
    """Whether set-up and the next `images` images of a point are likely to end within `seconds_left`.

    True where there is no limit, and where no trial of the same architecture tells.
    """
    if seconds_left is None:
        return True
    pace = pace_of(params.get("architecture"), trials)
    return pace is None or pace.seconds(images) <= seconds_left
