"""Who had what by when: the arithmetic of the race."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from racing.legs import Result, Score


@dataclass(frozen=True)
class Range:
    """A number over the seeds."""

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Range | None:
        """Over the values; None where there are none."""
        found = list(values)
        return cls(statistics.fmean(found), min(found), max(found), len(found)) if found else None


def whole(scores: Iterable[Score]) -> list[Score]:
    """The scores on the whole validation part: the best of many scores on a few images flatters."""
    return [score for score in scores if score.val_images is None]


def best_at(scores: Iterable[Score], seconds: float) -> float:
    """Best value that was there after so many seconds; 0 where there was none."""
    return max((score.value for score in scores if score.seconds <= seconds), default=0.0)


def final(scores: Iterable[Score]) -> float:
    """Best value of all; 0 where there is none."""
    return best_at(scores, float("inf"))


def reached(scores: Iterable[Score], value: float) -> float | None:
    """Seconds until a value at least as good was there; None for never."""
    return min((score.seconds for score in scores if score.value >= value), default=None)


def passed(scores: Iterable[Score], value: float) -> float | None:
    """Seconds until a better value was there; None for never."""
    return min((score.seconds for score in scores if score.value > value), default=None)


def over_seeds(results: Sequence[Result], seconds: float, *, partial: bool = False) -> Range | None:
    """The best value after so many seconds, over one contestant's seeds.

    With `partial`, scores on a part of the validation images count as well.
    """
    return Range.of(best_at(_counted(result, partial=partial), seconds) for result in results)


def reached_by(results: Sequence[Result], value: float) -> list[float | None]:
    """Seconds until each seed had a value at least as good."""
    return [reached(whole(result.scores), value) for result in results]


def passes(ours: Sequence[Result], theirs: Sequence[Result]) -> list[float | None]:
    """Seconds until ours passed the final best of theirs, for each seed that both have run."""
    by_seed = {result.leg.seed: result for result in theirs}
    pairs = [(result, by_seed[result.leg.seed]) for result in ours if result.leg.seed in by_seed]
    return [passed(whole(one.scores), final(whole(other.scores))) for one, other in pairs]


def _counted(result: Result, *, partial: bool) -> Sequence[Score]:
    return result.scores if partial else whole(result.scores)
