"""What a worker does with what it hears, step by step and without a trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.messages import EpochEnded, Failed, TrialEnded
from search.worker.delivery import deliver
from search.worker.recording import Recording
from search.worker.results import Result

if TYPE_CHECKING:
    from search.study import Study
    from search.trial import Reason
    from search.worker.claim import Claim


def judged(study: Study, claimed: Claim, *events: EpochEnded) -> None:
    """Record judgements."""
    recording = Recording(study, claimed.number, claimed.token)
    for event in events:
        recording.judged(event)
        recording.write()


def result(study: Study, claimed: Claim, event: TrialEnded | Failed, reason: Reason, why: str = "") -> Result:
    """The result of an attempt that has ended so."""
    recording = Recording(study, claimed.number, claimed.token)
    if isinstance(event, Failed):
        state, value, outcome = "failed", None, recording.failed(event, reason, "")
    else:
        state, value, outcome = "complete", event.best_value, recording.ended(event, reason, why)
    return Result(
        study=study.name, number=claimed.number, token=claimed.token, worker=claimed.worker, attempt=claimed.attempt,
        state=state, value=value, outcome=outcome, curve=tuple(recording.curve), vitals=tuple(recording.vitals),
        story=recording.story,
    )  # fmt: skip


def conclude(study: Study, claimed: Claim, event: TrialEnded | Failed, reason: Reason, why: str = "") -> bool:
    """Record the end of a trial; whether it was accepted."""
    return deliver(study, result(study, claimed, event, reason, why))
