"""Results that came too late, as plain data: the JSON of `late-results`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.worker.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.study import Study
    from search.trial import TrialRecord

LATE_COLUMNS = ("trial", "value", "reason", "worker", "attempt", "accepted state", "accepted value")


def late_to_list(study: Study) -> list[dict[str, Any]]:
    """The study's late results, oldest first, each with what its trial came to instead.

    `accepted` is that trial as it stands: its value is None while it still runs or where it failed.
    """
    trials = study.trials()
    return [_entry(Result.from_json(late.result), late.came_at, trials) for late in study.store.late.of(study.name)]


def late_row(entry: dict[str, Any]) -> tuple[object, ...]:
    """An entry of that list as a row under `LATE_COLUMNS`."""
    accepted = entry["accepted"]
    own = [entry[name] for name in ("trial", "value", "reason", "worker", "attempt")]
    return (*own, accepted["state"], accepted["value"])


def _entry(result: Result, came_at: float, trials: Sequence[TrialRecord]) -> dict[str, Any]:
    trial = trials[result.number]
    return {
        "study": result.study,
        "trial": result.number,
        "value": result.value,
        "reason": result.outcome.reason,
        "worker": result.worker,
        "attempt": result.attempt,
        "came_at": came_at,
        "accepted": {
            "trial": trial.number,
            "state": trial.state,
            "value": trial.value if trial.is_accepted else None,
            "worker": trial.worker,
        },
    }
