"""What a paused trial may still gain, for its seconds, against a new one.

Successive halving lets nobody go on until `factor` trials have reached its rung. Early in a search
this keeps the best trial waiting where it would gain most, so there are **bets**: a contender (see
`rungs.contenders`) goes on although it has not earned it, if that costs at most half of what was
spent on the study before. Whatever a bet brings, it slows the search by a bounded factor.

A bet must also promise more than a new trial: expected improvement (Jones, Schonlau and Welch,
"Efficient global optimization", 1998, equation 15) for each second (Snoek, Larochelle and Adams,
"Practical Bayesian optimization", 2012, section 3.2). How far a value will rise from rung to rung is
taken from the trials that went that way; where none did, half of the rise before, because learning
curves flatten.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from search.worker import rungs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from search.worker.forecast import Pace
    from search.worker.rungs import Standing

SHARE = 0.5
"""Of the seconds spent before, what one bet may cost."""
_DECAY = 0.5  # of the rise, from one rung to the next, where nobody has been yet
_LEAST_SPREAD = 0.1  # of a rise, in shares of it: a few trials that agree prove little


@dataclass(frozen=True, kw_only=True)
class Rise:
    """How much values rise between two rungs."""

    mean: float
    spread: float
    """Standard deviation between trials."""


@dataclass(frozen=True)
class Field:
    """All that bets are decided on."""

    standings: Sequence[Standing]
    ladder: Sequence[int]
    end: int
    """Images at which a trial has trained all its epochs."""
    factor: int
    paces: Mapping[int, Pace]
    """Of each trial whose architecture has been trained before, by number."""
    spent: float
    """Seconds spent on the study so far."""
    share: float = SHARE
    """Of these, what one bet may cost."""

    @cached_property
    def points(self) -> tuple[int, ...]:
        """The rungs and the end."""
        return (*self.ladder, self.end)

    @cached_property
    def best(self) -> float:
        """The best value so far."""
        return max((self._value(one) for one in self.standings), default=-math.inf)

    @cached_property
    def horizon(self) -> int:
        """Index of the last point that the best trial has reached: prospects are compared there."""
        leader = max(self.standings, key=self._value)
        return sum(point <= leader.images for point in self.points) - 1

    @cached_property
    def rises(self) -> tuple[Rise, ...]:
        """Between each point and the next; empty where no trial has gone on yet."""
        found: list[Rise] = []
        for start, end in zip(self.points, self.points[1:], strict=False):
            seen = list(self._seen(start, end))
            if seen:
                found.append(_rise(seen))
            elif found:
                found.append(Rise(mean=found[-1].mean * _DECAY, spread=found[-1].spread * _DECAY))
            else:
                return ()
        return tuple(found)

    def _value(self, standing: Standing) -> float:
        found = standing.best_at(self.end)
        return -math.inf if found is None else found.value

    def _seen(self, start: int, end: int) -> Iterator[float]:
        for one in self.standings:
            before, after = one.best_at(start), one.best_at(end)
            if before and after and one.images >= end:
                yield after.value - before.value


def bet(field: Field, *, may_begin: bool) -> int | None:
    """The paused trial that should go on although it has not earned it; None where a new one promises more.

    Args:
        field: what is known.
        may_begin: whether a new trial may begin; otherwise any bet that can be afforded is better than waiting.
    """
    affordable = [number for number, rung in _contenders(field) if _is_affordable(field, number, rung)]
    if not affordable:
        return None
    if not field.rises:
        return affordable[0]  # nobody knows what going on brings: the leader finds out
    by_number = {standing.number: standing for standing in field.standings}
    rates = [(_rate(field, by_number[number]), -place, number) for place, number in enumerate(affordable)]
    rate, _, number = max(rates)
    return number if not may_begin or rate >= _rate_of_new(field) else None


def _contenders(field: Field) -> Iterator[tuple[int, int]]:
    """The first one that waits at each rung, the highest rung first, and the rung's index."""
    waiting = {standing.number: standing for standing in field.standings if standing.is_paused}
    for index in reversed(range(len(field.ladder))):
        for number in rungs.contenders(field.ladder[index], field.standings, field.ladder, field.factor):
            if number in waiting and _place(field, waiting[number]) == index:
                yield number, index
                break


def _is_affordable(field: Field, number: int, rung: int) -> bool:
    pace = field.paces.get(number)
    needed = field.points[rung + 1] - field.ladder[rung]
    return pace is not None and pace.seconds(needed) <= field.share * field.spent


def _rate(field: Field, standing: Standing) -> float:
    """Expected improvement a second of a paused trial."""
    place = _place(field, standing)
    return _gain(field, standing, place) / _seconds(field, field.paces[standing.number], place)


def _rate_of_new(field: Field) -> float:
    """The same of a new trial, which may turn out like any of those before."""
    gain = seconds = 0.0
    for standing in field.standings:
        pace = field.paces.get(standing.number)
        seconds += pace.seconds(field.ladder[0]) if pace else 0.0
        if standing.best_at(field.ladder[0]) and standing.images >= field.ladder[0]:
            gain += _gain(field, standing, 0)
            # One of `factor` would go on from there.
            seconds += _seconds(field, pace, 0) / field.factor if pace else 0.0
    return gain / seconds if seconds else math.inf


def _gain(field: Field, standing: Standing, place: int) -> float:
    """Expected improvement over the best, of a trial as it stood at a point, where the best stands now."""
    score = standing.best_at(field.points[place])
    assert score is not None
    ahead = field.rises[place : _until(field, place)]
    mean = score.value + sum(rise.mean for rise in ahead)
    spread = math.sqrt(score.error**2 + sum(rise.spread**2 for rise in ahead))
    return expected_improvement(mean - field.best, spread)


def _seconds(field: Field, pace: Pace, place: int) -> float:
    """Seconds from a point to where the best stands: one of `factor` goes on at each rung between."""
    return pace.setup + sum(
        (field.points[index + 1] - field.points[index]) * pace.per_image / float(field.factor) ** (index - place)
        for index in range(place, _until(field, place))
    )


def _until(field: Field, place: int) -> int:
    return max(field.horizon, place + 1)


def _place(field: Field, standing: Standing) -> int:
    """Index of the highest rung that a trial has reached; -1 before the first."""
    return sum(rung <= standing.images for rung in field.ladder) - 1


def _rise(seen: list[float]) -> Rise:
    mean = statistics.fmean(seen)
    spread = statistics.pstdev(seen, mean) if len(seen) > 1 else abs(mean) / 2
    return Rise(mean=mean, spread=max(spread, _LEAST_SPREAD * abs(mean)))


def expected_improvement(mean: float, spread: float) -> float:
    """Mean of the positive part of a normal variable; `mean` counts from the best so far.

    >>> expected_improvement(0.25, 0.0)
    0.25
    >>> round(expected_improvement(0.0, 1.0), 3)
    0.399
    """
    if spread <= 0.0:
        return max(mean, 0.0)
    z = mean / spread
    density = math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
    return mean * statistics.NormalDist().cdf(z) + spread * density
