"""How studies and trials are kept as attributes of Optuna's, and read again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from optuna.trial import TrialState

from search.errors import UnreadableStudyError
from search.texts import clean
from search.training.messages import PARTIAL, DataLoaded
from search.trial import ACCEPTED, Outcome, State, TrialRecord, best_evaluation, counted
from spaces.errors import SpaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from storage.trials import StoredTrial

OWN = "hpsearch:"
"""Begins the name of every system attribute that is ours."""


_STATES: dict[TrialState, State] = {
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Say of a study whose records mean nothing here that it cannot be read; no store is asked within.

    Raises:
        UnreadableStudyError: with the cause and the cure.
    """
    try:
        yield
    except (SpaceError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableStudyError(
            f"study {name!r} cannot be read ({clean(f'{type(error).__name__}: {error}')}): it is damaged, or another "
            "version of hpsearch wrote it; use that version, or delete it (hpsearch dashboard --allow-changes)"
        ) from error


def own(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What hpsearch keeps among a study's or a trial's system attributes."""
    return {key.removeprefix(OWN): value for key, value in attributes.items() if key.startswith(OWN)}


def data_of(attribute: Mapping[str, Any]) -> DataLoaded:
    """The data of a study, from the attribute `data`."""
    height, width, channels = attribute["image_shape"]
    return DataLoaded(**{**attribute, "image_shape": (height, width, channels)})


def record_of(stored: StoredTrial, metric: str, *, maximize: bool) -> TrialRecord:
    """A trial as the store shows it, from its rows; `metric` is what the study searches for."""
    attributes = own(stored.system_attrs)
    outcome = Outcome(**attributes["outcome"]) if "outcome" in attributes else None
    state, holding = _state_of(stored, outcome), stored.holding
    curve = tuple(attributes.get("curve", ()))
    best = best_evaluation(curve, metric, maximize=maximize)
    part = best.get(PARTIAL) if best else None
    return TrialRecord(
        number=stored.number,
        state=state,
        params=stored.params,
        value=stored.value if state in ACCEPTED else counted(best, metric, maximize=maximize),
        score=best[metric] if best else None,
        val_images=None if part is None else int(part),
        curve=curve,
        story=attributes.get("story", ""),
        name=stored.user_attrs.get("name"),
        comes_next=attributes.get("comes_next", False),
        seed=attributes.get("seed", 0),
        worker=holding.worker if holding else None,
        attempts=holding.attempt if holding else 0,
        micro_batch=attributes.get("micro_batch"),
        seconds=_latest_seconds(attributes.get("seconds", {}), outcome),
        outcome=outcome,
    )


def _state_of(stored: StoredTrial, outcome: Outcome | None) -> State:
    """The trial's state in our words: Optuna's tables show a paused or pruned trial as complete."""
    if not stored.has_ended:
        waits = stored.holding is not None and stored.holding.state in ("paused", "released")
        return "paused" if waits else _STATES[stored.state]
    is_pruned = stored.state is TrialState.COMPLETE and outcome is not None and outcome.reason == "pruned"
    return "pruned" if is_pruned else _STATES[stored.state]


def _latest_seconds(judged: dict[str, float], outcome: Outcome | None) -> dict[str, float]:
    """Seconds only grow: a trial that was continued has an older outcome, one that ended an older judgement."""
    return max(judged, outcome.seconds if outcome else {}, key=lambda seconds: seconds.get("total", 0.0))
