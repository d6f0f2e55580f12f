"""The end of a study: when it has come, and what becomes of the trials that still wait."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Literal

from optuna.trial import TrialState

from search.durations import format_epochs
from search.trial import Outcome
from search.worker import keepsakes
from search.worker.scene import Scene

if TYPE_CHECKING:
    from search.study import Study
    from search.trial import TrialRecord


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


def _end_paused(study: Study, ending: str) -> None:
    for trial in study.trials():
        if trial.state == "paused":
            _end_one_paused(study, trial, ending)
    study.store.ledger.end_paused(study.name)  # last: whoever dies before it, does it again
    keepsakes.clear(study)


def _end_one_paused(study: Study, trial: TrialRecord, ending: str) -> None:
    cause = "was stopped" if ending == "stopped" else "used up its budget"
    why = f"Paused after {format_epochs(trial.epochs)}; the study {cause} before the trial was good enough to go on."
    why = f"{why} {trial.story}".strip()
    before = trial.outcome or Outcome(reason=None, why="")
    outcome = replace(before, reason="cancelled" if trial.value is None else "pruned", why=why)
    study.note(trial.number, "outcome", asdict(outcome))
    trial_id = study.trial_id(trial.number)
    if trial.value is None:
        keepsakes.note(study, trial.number, f"**cancelled**: {why}")
        study.store.optuna.set_trial_state_values(trial_id, TrialState.FAIL)
    else:
        keepsakes.attach(study, trial.number, outcome, trial.value)
        study.store.optuna.set_trial_state_values(trial_id, TrialState.PRUNED, [trial.value])
