"""Whether a worker is fit to go on: one on a bad machine fails trials faster than others can train them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.errors import WorkerUnfitError

if TYPE_CHECKING:
    from search.study import Study
    from search.trial import Reason

N_IN_A_ROW = 3
SUSPECT: frozenset[Reason] = frozenset({"crashed", "bad_data", "stalled"})
"""Reasons that may be the worker's and not the point's, where nothing was judged before."""
ALIVE_SECONDS = 30.0
PASSED_OVER_SECONDS = 30.0
"""A trial that waits for so long is not taken by who has nothing to do: other data there, or no room on the disk."""


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A trial that failed before its first judgement here, for a reason that may be this worker's."""

    study: str
    number: int
    message: str
    is_reported: bool
    """By a trainer that lives; one that died may have tried too large a network."""


class Standing:
    """One worker's failures in a row. Any other end of a trial ends the row."""

    def __init__(self, worker: str) -> None:
        """Begin in good standing."""
        self._worker = worker
        self._row: list[Suspicion] = []

    def count(self, study: Study, suspicion: Suspicion | None) -> None:
        """Count a trial's end; `suspicion` is None for one that casts no doubt on the worker.

        Raises:
            WorkerUnfitError: after `N_IN_A_ROW` trials in a row, if they failed with the same words, or
                others that are there have had judgements.
        """
        if suspicion is None:
            self._row.clear()
            return
        others = (one for one in self._row if (one.study, one.number) != (suspicion.study, suspicion.number))
        self._row = [*others, suspicion]
        if len(self._row) < N_IN_A_ROW:
            return
        last = self._row[-N_IN_A_ROW:]
        if all(one.is_reported for one in last) and len({one.message for one in last}) == 1:
            self._stand_down(suspicion, "with the same words")
        if _others_succeed(study, self._worker):
            self._stand_down(suspicion, "while others succeed")

    def _stand_down(self, suspicion: Suspicion, how: str) -> None:
        raise WorkerUnfitError(
            f"this worker stands down: {N_IN_A_ROW} trials in a row failed here before anything was judged, {how}; "
            f"the last one: {suspicion.message} Put that right, then start it again."
        )


def has_others(study: Study, worker: str, left_at: float | None = None) -> bool:
    """Whether other workers are there that could take a trial of this study.

    Args:
        study: whose trial.
        worker: who asks.
        left_at: since when the trial waits, on the database's clock. One that has long waited is not
            taken by a worker without work, only by one that is still busy with the study.
    """
    is_passed_over = left_at is not None and study.store.now() - left_at >= PASSED_OVER_SECONDS
    return bool(_others(study, worker, (study.name,) if is_passed_over else (study.name, None)))


def _others(study: Study, worker: str, serving: tuple[str | None, ...]) -> set[str]:
    rows = study.store.ledger.workers(within=ALIVE_SECONDS)
    return {row.id for row in rows if row.id != worker and row.study in serving}


def _others_succeed(study: Study, worker: str) -> bool:
    """Whether a worker that is there has had a judgement in this study."""
    others, trials = _others(study, worker, (study.name, None)), study.trials()
    return any(trial.worker in others and trial.curve for trial in trials)
