"""One trial as the store shows it: a frozen picture, for people and for decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from search.training.messages import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["running", "waiting", "paused", "complete", "pruned", "failed"]
"""`paused` holds no worker: it waits at a rung, or was given back, and can be continued."""

Reason = Literal[
    "finished",
    "early_stopped",
    "pruned",
    "collapsed",
    "diverged",
    "out_of_memory",
    "crashed",
    "stalled",
    "lost",
    "bad_data",
    "cancelled",
]

ACCEPTED: tuple[State, ...] = ("complete", "pruned")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is kept of a trial when it ends, or pauses."""

    reason: Reason | None
    """None while the trial is paused."""
    why: str
    """One sentence for a person."""
    epochs: float = 0
    images: int = 0
    """Training images seen; `epochs` is the same in epochs."""
    best_epoch: float = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    parameters: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    weights: str | None = None
    """File of the best judgement's weights; None where nothing was learned."""
    confusion: str | None = None
    log: str = ""
    """The last lines of the trainer's log, where the trial failed."""


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """A trial at one moment."""

    number: int
    state: State
    params: dict[str, Any]
    value: float | None
    """What its best evaluation so far counts for, in the objective's own units; see `counted`."""
    score: float | None = None
    """That evaluation's score as measured; it differs from `value` where a part of the validation images was used."""
    val_images: int | None = None
    """Validation images that the score was measured on; None for the whole part."""
    curve: tuple[dict[str, float], ...] = ()
    """One mapping a judgement: `epoch`, `images`, then the metrics."""
    story: str = ""
    """What the last epoch's signs mean, for a person."""
    name: str | None = None
    """Given by the space file to a point that is tried first."""
    comes_next: bool = False
    """Whether somebody queued it while the study was under way: it goes before the other queued ones."""
    seed: int = 0
    worker: str | None = None
    attempts: int = 0
    micro_batch: int | None = None
    """Images that a step takes at once, where a whole batch had no room in memory."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Where its time went, up to the last judgement or its end; empty before the first. `total` is the sum."""
    outcome: Outcome | None = None

    @property
    def epochs(self) -> float:
        """Epochs done so far, up to the last judgement; a fraction within one."""
        return self.curve[-1]["epoch"] if self.curve else 0

    @property
    def images(self) -> int:
        """Training images seen so far, up to the last judgement."""
        return int(self.curve[-1]["images"]) if self.curve else 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ("complete", "pruned", "failed")

    @property
    def is_accepted(self) -> bool:
        """Whether the trial has ended with a value that counts."""
        return self.state in ACCEPTED and self.value is not None

    @property
    def is_scored(self) -> bool:
        """Whether it has a value and weights that stay as they are: ended, or paused."""
        return (self.state in ACCEPTED or self.state == "paused") and self.value is not None


def leader_of(trials: Sequence[TrialRecord], *, maximize: bool) -> TrialRecord | None:
    """The best of all that have a value, those that are being trained included; ties as in `best_of`."""
    scored = [trial for trial in trials if trial.state != "failed" and trial.value is not None]
    return _best(scored, maximize=maximize)


def best_of(trials: Sequence[TrialRecord], *, maximize: bool) -> TrialRecord | None:
    """The best ended or paused trial; the earlier one of two equals; None where none has a value."""
    scored = [trial for trial in trials if trial.is_scored]
    return _best(scored, maximize=maximize)


def _best(scored: Sequence[TrialRecord], *, maximize: bool) -> TrialRecord | None:
    return max(scored, key=lambda trial: (worth(trial, maximize=maximize), -trial.number), default=None)


def worth(trial: TrialRecord, *, maximize: bool) -> float:
    """A trial's value with its sign such that larger is better; -inf where it has none."""
    if trial.value is None:
        return -math.inf
    return trial.value if maximize else -trial.value


def best_evaluation(curve: Sequence[dict[str, float]], metric: str, *, maximize: bool) -> dict[str, float] | None:
    """The evaluation of a curve with the best score by a metric; None where none has it.

    Evaluations of all validation images come before those of a part of them.
    """
    scored = [entry for entry in curve if metric in entry]
    found = [entry for entry in scored if PARTIAL not in entry] or scored
    return (max if maximize else min)(found, key=lambda entry: entry[metric], default=None)


def counted(evaluation: dict[str, float] | None, metric: str, *, maximize: bool) -> float | None:
    """What an evaluation counts for, which is a trial's value; None for no evaluation.

    One on a part of the validation images counts a standard error less than its score: the best of many such
    flatters. The standard error of a loss is not known, so a loss counts as it is.
    """
    if evaluation is None:
        return None
    score, n_images = evaluation[metric], evaluation.get(PARTIAL)
    if n_images is None or not maximize:
        return score
    return score - math.sqrt(max(score * (1.0 - score), 0.0) / n_images)


def value_of(curve: Sequence[dict[str, float]], metric: str, *, maximize: bool) -> float | None:
    """A trial's value: what the best evaluation of its curve counts for."""
    return counted(best_evaluation(curve, metric, maximize=maximize), metric, maximize=maximize)
