"""Why a trial ended or waits, in a word and in a sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from search.durations import format_epochs
from search.training.messages import PARTIAL

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import TrialEnded
    from search.trial import Reason
    from search.worker.claim import Claim
    from search.worker.trainer import TrainerDiedError

Cause = Literal["time", "stop", "worker"]
"""Who asked a running trial to end: the study's time is up, somebody stopped the study, or its worker leaves."""


def waits(study: Study, ended: TrialEnded) -> str:
    """Why a trial waits that was paused at a rung."""
    where = f"{ended.images:,} images ({format_epochs(ended.epochs)})"
    return f"Waits at {where} until it is among the best of its rung; {_best(study, ended)} so far."


def reason_of(study: Study, claim: Claim, ended: TrialEnded, cause: Cause | None) -> tuple[Reason, str]:
    """Why a trial ended with a value; `cause` is None where nobody asked it to."""
    metric, best, trained = study.space.objective.metric, _best(study, ended), format_epochs(ended.epochs)
    if ended.ending == "finished":
        return "finished", f"Trained all {trained}; {best}."
    if ended.ending == "early_stopped":
        patience = format_epochs(claim.hyperparameters["patience"])
        return "early_stopped", f"No better {metric} for {patience} (its patience); {best}."
    if cause == "time":
        return "cancelled", f"The study's time was up after {trained}; {best}, which counts."
    if cause == "stop":
        return "cancelled", f"The study was asked to end after {trained}; {best}, which counts."
    pruner = study.space.pruner.name
    return "pruned", f"Ended after {trained} by the {pruner} pruner: others were better; {best}."


def death(error: TrainerDiedError) -> str:
    """What became of a trainer that died, and what to do about it."""
    cause = ""
    if error.signal == "SIGKILL":
        cause = " Most often the machine ran out of memory: try a smaller batch size or fewer workers."
    how = str(error)
    return f"{how[0].upper()}{how[1:]} during this trial.{cause} The worker went on with a new one."


def _best(study: Study, ended: TrialEnded) -> str:
    metric = study.space.objective.metric
    part = ended.best_metrics.get(PARTIAL)
    on = f" on {part:.0f} of {study.data.n_validation} validation images" if part else ""
    return f"best {metric} {ended.best_value:.4f} at epoch {ended.best_epoch:.4g}{on}"
