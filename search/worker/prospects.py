"""What a paused trial may still gain, for its seconds, against a new one.

Successive halving lets nobody go on until `factor` trials have reached its rung. Early in a search
this keeps the best trial waiting where it would gain most, so there are **bets**: a paused trial goes on
to its next judgement although it has not earned it, as long as its training takes at most three quarters
of all that is spent on the study, and none goes beyond its first epoch before `factor` trials were looked at.

A bet must also promise more than a new trial: expected improvement (Jones, Schonlau and Welch,
"Efficient global optimization", 1998, equation 15) for each second (Snoek, Larochelle and Adams,
"Practical Bayesian optimization", 2012, section 3.2). Which trial to thaw is decided anew at each judgement, as by
Swersky, Snoek and Adams ("Freeze-thaw Bayesian optimization", 2014, section 4); in place of their process, errors
fall as a power of the images seen (Hestness et al., "Deep learning scaling is predictable, empirically", 2017). The
exponent between two rungs is what the trials that went that way showed; where none did, that of the rungs before.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from search.worker import rungs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from search.worker.forecast import Pace
    from search.worker.rungs import Score, Standing

SHARE = 0.75
"""Of all seconds spent on a study, what the training of one trial may take by bets."""
_LEAST_SPREAD = 0.1  # of an exponent, in shares of it: a few trials that agree prove little
_LARGEST_EXPONENT = 700.0  # of e, in a float
_LEAST_ERROR = 1e-4  # of a value, below the best there can be: a logarithm must exist


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How fast errors fall between two points: they are divided by `ratio ** slope` when the images seen grow so."""

    mean: float
    spread: float
    """Standard deviation between trials."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """All that bets are decided on."""

    standings: Sequence[Standing]
    ladder: Sequence[int]
    n_images: int
    """Training images of an epoch."""
    end: int
    """Images at which a trial has trained all its epochs."""
    factor: int
    paces: Mapping[int, Pace]
    """Of each trial whose architecture has been trained before, by number."""
    spent: float
    """Seconds spent on the study so far."""
    ceiling: float = 1.0
    """The best value there can be: 1 for a share, 0 for a loss (which is negated)."""
    share: float = SHARE
    """Of all seconds, what the training of one trial may take."""

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
        """Images that the best trial has seen: prospects are compared there."""
        return max(self.standings, key=self._value).images

    @cached_property
    def n_looked_at(self) -> int:
        """Trials that have been judged at the first rung, or died on the way."""
        return sum(one.is_dead or one.images >= self.ladder[0] for one in self.standings)

    @cached_property
    def slopes(self) -> tuple[Slope, ...]:
        """Between each point and the next; empty where no trial has gone on from the first yet."""
        found: list[Slope] = []
        for start, end in zip(self.points, self.points[1:], strict=False):
            seen = list(self._seen(start, end))
            if seen:
                found.append(_slope(seen))
            elif found:
                found.append(found[-1])
            else:
                return ()
        return tuple(found)

    def next_judgement(self, images: int) -> int:
        """Images at which a trial that has seen `images` of them is judged next."""
        return min(rungs.next_judgement(images, self.ladder, self.n_images), self.end)

    def error(self, score: Score) -> float:
        """What a value lacks of the best there can be."""
        return max(self.ceiling - score.value, _LEAST_ERROR)

    def _value(self, standing: Standing) -> float:
        found = standing.best_at(self.end)
        return -math.inf if found is None else found.value

    def _seen(self, start: int, end: int) -> Iterator[float]:
        """The exponent of each trial that has gone on from `start`, up to `end` or as far as it is."""
        for one in self.standings:
            before, after = one.best_at(start), one.best_at(end)
            # As far as it has trained, not to where it was best: epochs that brought nothing count.
            low, high = (_judged_at(one, images) for images in (start, end))
            if before and after and start <= low < high:
                yield math.log(self.error(before) / self.error(after)) / math.log(high / low)


def bet(field: Field) -> int | None:
    """The paused trial that should go on although it has not earned it; None where a new one promises more."""
    paused = [one for one in field.standings if one.is_paused and one.scores and _may_go_on(field, one)]
    if not paused:
        return None
    if not field.slopes:
        # Nobody knows what going on brings: the leader finds out.
        return max(paused, key=lambda one: (one.images, one.scores[-1].value, -one.number)).number
    rate, _, number = max((_rate(field, one), -one.number, one.number) for one in paused)
    return number if rate > _rate_of_new(field) else None


def outdoes_new(field: Field, number: int) -> bool:
    """Whether a paused trial promises more for its seconds than a new one, or nobody knows."""
    one = next(standing for standing in field.standings if standing.number == number)
    if not field.slopes or number not in field.paces:
        return True
    return _rate(field, one) > _rate_of_new(field)


def _judged_at(standing: Standing, images: int) -> int:
    """Images at the first judgement from so many on (a large batch oversteps them), or at the last there is."""
    return next((score.images for score in standing.scores if score.images >= images), standing.images)


def _may_go_on(field: Field, standing: Standing) -> bool:
    """Whether that leaves enough for others; beyond its first epoch, whether there have been any."""
    pace = field.paces.get(standing.number)
    if pace is None:
        return False
    end = field.next_judgement(standing.images)
    if end > field.n_images and field.n_looked_at < field.factor:
        return False
    needed = end - standing.images
    trained = pace.per_image * (standing.images + needed)
    return trained <= field.share * (field.spent + pace.seconds(needed))


def _rate(field: Field, standing: Standing) -> float:
    """Expected improvement a second of a paused trial."""
    score = standing.best_at(field.end)
    assert score is not None
    if score.value >= field.best:
        score = replace(score, error=0.0)  # measured again, it may only seem better than itself
    return _gain(field, score, standing.images) / _seconds(field, field.paces[standing.number], standing.images)


def _rate_of_new(field: Field) -> float:
    """The same of a new trial: as if all those before were begun anew, and the best `1 / factor` of them went on."""
    first = field.ladder[0]
    known = [(one, field.paces[one.number]) for one in field.standings if one.number in field.paces]
    reached = [(score, pace) for one, pace in known if one.images >= first and (score := one.best_at(first))]
    reached.sort(key=lambda found: found[0].value, reverse=True)
    promoted = reached[: math.ceil(len(known) / field.factor)]
    seconds = sum(pace.seconds(first) for _, pace in known)
    seconds += sum(_seconds(field, pace, score.images) for score, pace in promoted)
    gain = sum(_gain(field, score, score.images) for score, _ in promoted)
    return gain / seconds if seconds else math.inf


def _gain(field: Field, score: Score, images: int) -> float:
    """Expected improvement over the best, of a trial that has seen so many images, where the best stands now."""
    error = field.error(score)
    fall, variance = _fall(field, images, _until(field, images))
    spread = math.sqrt((score.error / error) ** 2 + variance)
    return expected_improvement(math.log(error) - fall, spread, max(field.ceiling - field.best, _LEAST_ERROR))


def _fall(field: Field, start: int, end: int) -> tuple[float, float]:
    """Mean and variance of what the logarithm of the error loses between two numbers of images seen."""
    mean = variance = 0.0
    for place, slope in enumerate(field.slopes):
        low = max(start, field.points[place]) if place else start
        high = min(end, field.points[place + 1])
        if low < high:
            width = math.log(high / low)
            mean += slope.mean * width
            variance += (slope.spread * width) ** 2
    return mean, variance


def _seconds(field: Field, pace: Pace, images: int) -> float:
    """Seconds to where the best stands: one of `factor` goes on at each rung between."""
    end = _until(field, images)
    between = [rung for rung in field.ladder if images < rung < end]
    stretches = zip((images, *between), (*between, end), strict=True)
    trained = sum((high - low) / float(field.factor) ** place for place, (low, high) in enumerate(stretches))
    return pace.setup + pace.per_image * trained


def _until(field: Field, images: int) -> int:
    return max(field.horizon, field.next_judgement(images))


def _slope(seen: list[float]) -> Slope:
    mean = statistics.fmean(seen)
    spread = statistics.pstdev(seen, mean) if len(seen) > 1 else abs(mean) / 2
    return Slope(mean=mean, spread=max(spread, _LEAST_SPREAD * abs(mean)))


def expected_improvement(mean: float, spread: float, best: float) -> float:
    """Mean of the positive part of `best - error`, where the error's logarithm is normal.

    Args:
        mean: of the logarithm of the error.
        spread: its standard deviation; 0 where the error is certain.
        best: the smallest error so far.

    >>> round(expected_improvement(math.log(0.25), 0.0, 0.5), 6)
    0.25
    >>> round(expected_improvement(math.log(0.5), 0.1, 0.5), 4)
    0.0187
    """
    if spread <= 0.0:
        return max(best - math.exp(mean), 0.0)
    at = (math.log(best) - mean) / spread
    normal = statistics.NormalDist().cdf
    mean_of_error = math.exp(min(mean + spread * spread / 2, _LARGEST_EXPONENT))
    return best * normal(at) - mean_of_error * normal(at - spread)
