"""What stands in the store, as plain data: the JSON of `status`, `best` and `show`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from search.errors import TrialNotFoundError
from search.studies import PassedOver, whole
from search.study import Study
from search.trial import leader_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.study import Control
    from search.trial import TrialRecord
    from storage.store import Store

ALIVE_SECONDS = 30.0
"""A worker that has not been seen for so long is not counted as alive."""

_COUNTED = ("running", "waiting", "paused", "complete", "pruned", "failed")


@dataclass(frozen=True, kw_only=True)
class WorkerView:
    """A worker that is alive."""

    id: str
    host: str
    pid: int
    study: str | None
    trial: int | None
    seen: float
    """Seconds since its last sign of life."""
    progress: str


@dataclass(frozen=True, kw_only=True)
class StudyView:
    """One study at one moment."""

    name: str
    state: str
    trials: tuple[TrialRecord, ...]
    best: TrialRecord | None
    """Also where it is being trained on: a trial that is continued must not seem to be gone."""
    workers: tuple[WorkerView, ...]
    seconds_left: float | None
    """Until the end that `start` announced; None for no limit."""
    budget: int | None
    metric: str
    maximizes: bool

    def standing(self) -> tuple[object, ...]:
        """What has to change before a listing is worth printing again: not the time that is left."""
        trials = tuple((trial.number, trial.state, trial.epochs, trial.value) for trial in self.trials)
        return self.name, self.state, trials, tuple((worker.id, worker.trial) for worker in self.workers)

    def counts(self) -> dict[str, int]:
        """Trials by state; every state is named, also where there is none."""
        found = Counter[str](trial.state for trial in self.trials)
        return {state: found[state] for state in _COUNTED}

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `status`."""
        best = self.best
        return {
            "study": self.name,
            "state": self.state,
            "trials": self.counts(),
            "best": None if best is None else {"trial": best.number, "value": best.value, "params": best.params},
            "workers": [
                {"id": w.id, "host": w.host, "pid": w.pid, "trial": w.trial, "seen": round(w.seen, 1)}
                for w in self.workers
            ],
            "seconds_left": self.seconds_left,
        }


def view(store: Store, name: str) -> StudyView:
    """One study; raises StudyNotFoundError where there is none of that name."""
    return _view(Study(store, name))


def views(store: Store, name: str | None = None, *, passed_over: PassedOver) -> list[StudyView]:
    """The named study, or all of the store's that can be read.

    Raises:
        StudyNotFoundError, UnreadableStudyError: where the named one is not there, or cannot be read.
    """
    if name:
        return [view(store, name)]
    found = []
    for study in whole(store, passed_over=passed_over):
        with passed_over.over(study.name):
            found.append(_view(study))
    return found


def _view(study: Study) -> StudyView:
    control = study.control()
    trials = study.trials()
    state = study.state()
    return StudyView(
        name=study.name,
        state=state,
        trials=trials,
        best=leader_of(trials, maximize=study.maximizes),
        workers=_workers(study.store, study.name),
        seconds_left=_seconds_left(control, study.store.now(), is_at_work=state == "open" or _any_runs(trials)),
        budget=control.trials,
        metric=study.space.objective.metric,
        maximizes=study.maximizes,
    )


def best_to_dict(study: Study) -> dict[str, Any]:
    """The JSON of `best`; `val_images` is the number of images that `value` was measured on.

    Raises:
        TrialNotFoundError: where no trial has a value yet.
    """
    best = study.leader()
    if best is None:
        raise TrialNotFoundError(
            f"study {study.name!r} has no trial with a value yet; `hpsearch status {study.name}` shows how far it is"
        )
    outcome = best.outcome
    return {
        "study": study.name,
        "trial": best.number,
        "state": best.state,
        "value": best.value,
        "score": best.score,
        "val_images": best.val_images or study.data.n_validation,
        "params": best.params,
        "epochs": best.epochs,
        "parameters": outcome.parameters if outcome else 0,
        "seconds": best.seconds.get("total", 0.0),
    }


def show_to_dict(study: Study, number: int) -> dict[str, Any]:
    """The JSON of `show`.

    Raises:
        TrialNotFoundError: where the study has no such trial.
    """
    trial = find_trial(study.name, study.trials(), number)
    outcome = trial.outcome
    seconds = dict.fromkeys(("setup", "train", "validate", "checkpoint", "total"), 0.0)
    return {
        "study": study.name,
        "trial": trial.number,
        "state": trial.state,
        "reason": outcome.reason if outcome else None,
        # Of a trial that goes on after it has waited, the outcome is why it waited.
        "why": outcome.why if outcome and trial.state != "running" else trial.story,
        "value": trial.value,
        "score": trial.score,
        "val_images": None if trial.value is None else trial.val_images or study.data.n_validation,
        "params": trial.params,
        "curve": list(trial.curve),
        "vitals": list(study.vitals(number)),
        "seconds": {**seconds, **trial.seconds},
        "log": outcome.log if outcome and trial.state == "failed" else "",
        "attempts": trial.attempts,
        "worker": trial.worker,
        "seed": trial.seed,
    }


def find_trial(study: str, trials: Sequence[TrialRecord], number: int) -> TrialRecord:
    """The trial of that number; raises TrialNotFoundError, naming those there are."""
    if 0 <= number < len(trials):
        return trials[number]
    there = f"it has 0 to {len(trials) - 1}" if trials else "it has none yet"
    raise TrialNotFoundError(f"study {study!r} has no trial {number}; {there}")


def _seconds_left(control: Control, now: float, *, is_at_work: bool) -> float | None:
    """Of the announced time; none once the last trial has ended, which is mostly a little before."""
    if control.deadline is None:
        return None
    return max(0.0, round(control.deadline + control.margin - now, 1)) if is_at_work else 0.0


def _any_runs(trials: Sequence[TrialRecord]) -> bool:
    return any(trial.state == "running" for trial in trials)


def _workers(store: Store, study: str) -> tuple[WorkerView, ...]:
    rows = store.ledger.workers(within=ALIVE_SECONDS)
    return tuple(WorkerView(**asdict(row)) for row in rows if row.study in (study, None))
