"""Why a trial ended or waits, in a word and in a sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from search import machine
from search.durations import format_epochs
from search.training.messages import PARTIAL, Failed

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import TrialEnded
    from search.trial import Reason
    from search.worker.claim import Claim
    from search.worker.trainer import TrainerDiedError

_SUSPECT_SHARE = 0.5
_SHRINKING = 8

Cause = Literal["time", "stop", "worker"]
"""Who asked a running trial to end: the study's time is up, somebody stopped the study, or its worker leaves."""


def waits(study: Study, ended: TrialEnded) -> str:
    """Why a trial waits that was paused after a judgement."""
    where = f"{ended.images:,} images ({format_epochs(ended.epochs)})"
    until = "it is among the best of its rung, or promises more than a new trial"
    return f"Waits at {where} until {until}; {_best(study, ended)} so far."


def reason_of(study: Study, claim: Claim, ended: TrialEnded, cause: Cause | None) -> tuple[Reason, str]:
    """Why a trial ended with a value; `cause` is None where nobody asked it to."""
    metric, best, trained = study.space.objective.metric, _best(study, ended), format_epochs(ended.epochs)
    if claim.micro_batch:
        best += f", with steps of {claim.micro_batch} images at once for want of memory"
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


def death(error: TrainerDiedError, memory: int, share: int) -> Failed:
    """What became of a trainer that died, and what to do about it.

    A process that the kernel kills for its memory gets SIGKILL and says nothing. The kernel counts these kills. Where
    the count tells nothing, one that was killed while it took (`memory`, bytes) half of its share is taken for such.
    """
    is_short = error.is_out_of_memory or (error.signal == "SIGKILL" and memory >= _SUSPECT_SHARE * share)
    cause = ""
    if is_short:
        cause = f" It took {memory / 2**30:.1f} GiB: {_whose_memory()} ran out. Fewer workers leave more for each."
    how = str(error)
    message = f"{how[0].upper()}{how[1:]} during this trial.{cause} The worker went on with a new one."
    return Failed(reason="out_of_memory" if is_short else "crashed", message=message, details=error.log)


def _whose_memory() -> str:
    found = machine.memory()
    return f"this container's memory of {found.total / 2**30:.1f} GiB" if found.is_limited else "the machine's memory"


def smaller(batch_size: int, micro_batch: int | None) -> int | None:
    """Images to take at once where `micro_batch` (or the whole batch) had no room; None where that is no way out."""
    at_once = (micro_batch or batch_size) // _SHRINKING
    return at_once or None


def _best(study: Study, ended: TrialEnded) -> str:
    metric = study.space.objective.metric
    part = ended.best_metrics.get(PARTIAL)
    on = f" on {part:.0f} of {study.data.n_validation} validation images" if part else ""
    return f"best {metric} {ended.best_value:.4f} at epoch {ended.best_epoch:.4g}{on}"
