"""The end of a study: when it has come, and what becomes of the trials that still wait."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Literal

from optuna.trial import TrialState

from search.durations import format_epochs
from search.trial import Outcome
from search.worker import keepsakes
from search.worker.delivery import tell
from search.worker.results import Result
from search.worker.scene import Scene

if TYPE_CHECKING:
    from search.study import Study
    from search.trial import Reason, TrialRecord

TELLING_SECONDS = 10.0
"""After which other workers take it that a process died while it ended a trial that was waiting."""


def end_if_over(study: Study) -> bool:
    """End the study if its budget is used or somebody asked for the end; True if it has ended.

    Paused trials end as pruned. A study that only ran out of time keeps them: a later start goes on.
    """
    with study.deciding():
        control = study.control()
        if control.ending in ("stopped", "finished"):
            return True
        if control.ending is not None:
            _cancel_unbegun(study)
        trials = study.trials()
        if any(trial.state == "running" for trial in trials):
            return False
        if control.ending is None and _has_work(Scene(study, trials)):
            return False
        ending: Literal["stopped", "finished"] = "stopped" if control.ending == "stopping" else "finished"
        _end_paused(study, ending)
        study.set_control(replace(control, ending=ending))
        return True


def cancel(study: Study, number: int, why: str) -> None:
    """End a trial that nobody has begun; the caller holds the study's lock."""
    study.note(number, "outcome", asdict(Outcome(reason="cancelled", why=why)))
    keepsakes.note(study, number, f"**cancelled**: {why}")
    study.store.optuna.set_trial_state_values(study.trial_id(number), TrialState.FAIL)


def _has_work(scene: Scene) -> bool:
    released = scene.study.store.ledger.holdings(scene.study.name, states=("released",))
    return bool(released) or scene.may_begin() or scene.last_call() is not None


def _cancel_unbegun(study: Study) -> None:
    """End trials whose worker died between creating them and taking their lease: nobody takes them any more."""
    for trial in study.trials():
        if trial.state == "running" and trial.attempts == 0:
            cancel(study, trial.number, "The study was asked to end before this trial was begun.")


def end_waiting(study: Study, trial: TrialRecord, reason: Reason, why: str) -> None:
    """End a trial that no worker holds, with the value that it has; the caller holds the study's lock.

    It is decided first and told afterwards, as the end of any other trial: where this process dies in between, the
    next worker's caretaker does the rest.
    """
    outcome = replace(trial.outcome or Outcome(reason=None, why=""), reason=reason, why=why)
    result = Result(
        study=study.name, number=trial.number, token="", worker=trial.worker or "", attempt=trial.attempts,
        state="failed" if trial.value is None or reason == "lost" else "pruned",
        value=None if reason == "lost" else trial.value, outcome=outcome, curve=trial.curve,
        vitals=study.vitals(trial.number), story=trial.story,
    )  # fmt: skip
    token = study.store.ledger.decide_waiting(
        study.name, trial.number, result.worker, TELLING_SECONDS, lambda token: replace(result, token=token).to_json()
    )
    if token is not None:
        tell(study, replace(result, token=token))


def _end_paused(study: Study, ending: str) -> None:
    cause = "was stopped" if ending == "stopped" else "used up its budget"
    for trial in study.trials():
        if trial.state == "paused":
            where = f"Paused after {format_epochs(trial.epochs)}"
            why = f"{where}; the study {cause} before the trial was good enough to go on. {trial.story}".strip()
            end_waiting(study, trial, "cancelled" if trial.value is None else "pruned", why)
    keepsakes.clear(study)
