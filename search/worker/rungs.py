"""Breadth first: which paused trial has earned more training.

Asynchronous successive halving with promotion (Li et al., "A System for Massively Parallel
Hyperparameter Tuning", MLSys 2020, algorithm 2): a trial that reaches a rung is paused, and
continues when it is among the best `1 / factor` of all that have reached that rung, or so close to the
last of them that the validation images do not tell the two apart. Rungs are
counted in images seen, so that a large data set is judged before its first epoch ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Score:
    """One judgement of a trial."""

    images: int
    """Training images seen before it."""
    value: float
    """Larger is better (negated where the study minimises)."""
    error: float = 0.0
    """Standard error of the value, as far as the number of validation images makes one."""
    is_partial: bool = False
    """Whether only a part of the validation images was used."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one trial is, and what it was worth on the way."""

    number: int
    scores: tuple[Score, ...]
    """In the order of `images`."""
    is_paused: bool
    has_ended: bool
    """Ended for good, in its own time: its best value stands at every later rung, too."""
    is_dead: bool = False
    """Ended without a value (its signals died, its loss was no number): the worst there is."""

    @property
    def images(self) -> int:
        """Training images seen up to the last judgement."""
        return self.scores[-1].images if self.scores else 0

    def value_at(self, rung: int) -> float | None:
        """Best value up to the judgement that reached `rung`; None where the trial is not that far.

        Values of the whole validation part count before those of a part of it. A trial that has
        ended counts with its best.
        """
        if self.images < rung and not self.has_ended:
            return None
        best = self.best_at(rung)
        return float("-inf") if best is None else best.value

    def best_at(self, rung: int) -> Score | None:
        """The judgement that `value_at` counts; None where there is none, and for the dead."""
        if self.is_dead:
            return None
        before = [score for score in self.scores if score.images < rung]
        scores = self.scores[: len(before) + 1]
        found = [score for score in scores if not score.is_partial] or scores
        return max(found, key=lambda score: score.value, default=None)


def rungs(min_images: int, n_images: int, epochs: int, factor: int) -> tuple[int, ...]:
    """Images at which trials pause, below `epochs` epochs of `n_images` images.

    After 1, `factor`, `factor`², … epochs, and within the first one after 1 / `factor`, 1 / `factor`², … of it, as
    long as that is `min_images` images. Where a whole epoch is less, the first one is the
    epoch's end that reaches them.

    >>> rungs(1500, 13_536, 50, 3)
    (1504, 4512, 13536, 40608, 121824, 365472)
    >>> rungs(1500, 500, 50, 3)
    (1500, 4500, 13500)
    """
    found: list[int] = []
    part = factor
    while n_images / part >= min_images:
        found.insert(0, round(n_images / part))
        part *= factor
    whole = max(1, -(-min_images // n_images))
    while whole < epochs:
        found.append(whole * n_images)
        whole *= factor
    return tuple(found)


def next_judgement(images: int, ladder: Sequence[int], n_images: int) -> int:
    """Images at which a trial that has seen `images` is judged next: a rung, or the end of its epoch.

    >>> next_judgement(1500, (1500, 4500, 13500), 13500)
    4500
    """
    end = (images // n_images + 1) * n_images
    return min((rung for rung in ladder if images < rung < end), default=end)


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


def is_promoted(number: int, standings: Sequence[Standing], ladder: Sequence[int], factor: int) -> bool:
    """Whether a trial is among the best `1 / factor`, or close to them, at the highest rung that it has reached."""
    images = next(standing.images for standing in standings if standing.number == number)
    rung = _rung_reached(images, ladder)
    return rung is not None and number in _best_at(rung, standings, ladder, factor, at_least=0)


def _rung_reached(images: int, ladder: Sequence[int]) -> int | None:
    """The highest rung up to so many images; None before the first."""
    return max((rung for rung in ladder if rung <= images), default=None)


def _promotable_at(
    rung: int, standings: Sequence[Standing], ladder: Sequence[int], factor: int, *, is_last_call: bool
) -> int | None:
    waiting = {s.number for s in standings if s.is_paused and _rung_reached(s.images, ladder) == rung}
    best = _best_at(rung, standings, ladder, factor, at_least=1 if is_last_call else 0)
    return next((number for number in best if number in waiting), None)


def _best_at(
    rung: int, standings: Sequence[Standing], ladder: Sequence[int], factor: int, *, at_least: int
) -> list[int]:
    ranked = _ranked(rung, standings, ladder)
    n_best = max(at_least, len(ranked) // factor)
    return [*ranked[:n_best], *_close(rung, standings, ranked, n_best)]


def _close(rung: int, standings: Sequence[Standing], ranked: Sequence[int], n_best: int) -> list[int]:
    """Those behind the best `n_best` that are within a standard error of the last of them."""
    scores = {standing.number: standing.best_at(rung) for standing in standings}
    cut = scores[ranked[n_best - 1]] if 0 < n_best < len(ranked) else None
    if cut is None:
        return []
    behind = ((number, scores[number]) for number in ranked[n_best:])
    return [number for number, score in behind if score and cut.value - score.value < _error(cut, score)]


def _error(one: Score, other: Score) -> float:
    """Standard error of the difference of two values, as if they were of different images."""
    return math.hypot(one.error, other.error)


def _ranked(rung: int, standings: Sequence[Standing], ladder: Sequence[int]) -> list[int]:
    """All that have reached a rung, best first; of two equals the older one."""
    values = ((standing.number, _value_at(rung, standing, ladder)) for standing in standings)
    reached = [(value, -number) for number, value in values if value is not None]
    return [-number for _, number in sorted(reached, reverse=True)]


def _value_at(rung: int, standing: Standing, ladder: Sequence[int]) -> float | None:
    if not standing.is_dead:
        return standing.value_at(rung)
    # It died on its way to a rung, and is the worst there. It counts at no later one: trials that
    # were not promoted do not either, and it must not make room for those that were.
    under_way = next((one for one in ladder if one > standing.images), None)
    return float("-inf") if under_way is None or rung <= under_way else None
