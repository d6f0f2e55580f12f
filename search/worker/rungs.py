"""Breadth first: which paused trial has earned more epochs.

Asynchronous successive halving with promotion (Li et al., "A System for Massively Parallel
Hyperparameter Tuning", MLSys 2020, algorithm 2): a trial that reaches a rung is paused, and
continues when it is among the best `1 / factor` of all that have reached that rung.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one trial is, and what it was worth on the way."""

    number: int
    values: tuple[float, ...]
    """Value after each epoch, larger is better (negated where the study minimises)."""
    is_paused: bool
    has_ended: bool
    """Ended for good: its best value stands at every later rung, too."""

    def value_at(self, rung: int) -> float | None:
        """Best value within the first `rung` epochs; None where the trial is not that far.

        A trial that ended before counts with its best. One that ended with no value at all
        (its loss was no number) counts as the worst there is.
        """
        if len(self.values) < rung and not self.has_ended:
            return None
        return max(self.values[:rung], default=float("-inf"))


def rungs(min_epochs: int, max_epochs: int, factor: int) -> tuple[int, ...]:
    """Epochs at which trials pause: `min_epochs * factor**k` below `max_epochs`.

    >>> rungs(1, 50, 3)
    (1, 3, 9, 27)
    """
    found = []
    rung = min_epochs
    while rung < max_epochs:
        found.append(rung)
        rung *= factor
    return tuple(found)


def promotable(
    standings: Sequence[Standing], ladder: Sequence[int], factor: int, *, is_last_call: bool = False
) -> int | None:
    """The paused trial that should go on, highest rung first; None where none has earned it.

    Args:
        is_last_call: no new trial can be begun any more, so that the best at every rung goes on
            even where fewer than `factor` trials have reached it.
    """
    for rung in reversed(ladder):
        number = _promotable_at(rung, standings, ladder, factor, is_last_call=is_last_call)
        if number is not None:
            return number
    return None


def is_promoted_at(number: int, rung: int, standings: Sequence[Standing], factor: int) -> bool:
    """Whether a trial is among the best `1 / factor` at a rung that it has reached."""
    return number in _best_at(rung, standings, factor, at_least=0)


def _promotable_at(
    rung: int, standings: Sequence[Standing], ladder: Sequence[int], factor: int, *, is_last_call: bool
) -> int | None:
    waiting = {standing.number for standing in standings if standing.is_paused and _rung_of(standing, ladder) == rung}
    best = _best_at(rung, standings, factor, at_least=1 if is_last_call else 0)
    return next((number for number in best if number in waiting), None)


def _best_at(rung: int, standings: Sequence[Standing], factor: int, *, at_least: int) -> list[int]:
    reached = [(value, -standing.number) for standing in standings if (value := standing.value_at(rung)) is not None]
    keep = max(at_least, len(reached) // factor)
    return [-number for _, number in sorted(reached, reverse=True)[:keep]]


def _rung_of(standing: Standing, ladder: Sequence[int]) -> int | None:
    return max((rung for rung in ladder if rung <= len(standing.values)), default=None)
