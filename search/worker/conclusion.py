"""The end of an attempt: what is recorded of it, once, however long the store is away."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optuna.exceptions import UpdateFinishedTrialError

from search.durations import format_epochs
from search.worker.delivery import deliver
from search.worker.judge import Judge
from search.worker.reasons import reason_of, smaller, waits
from search.worker.results import Result
from search.worker.standing import has_others
from storage.failpoints import passing

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from search.study import Study
    from search.training.messages import Failed, TrialEnded
    from search.trial import Outcome, Reason
    from search.worker.claim import Claim
    from search.worker.heartbeat import Heartbeat
    from search.worker.patience import Patience
    from search.worker.reasons import Cause
    from search.worker.recording import Recording
    from search.worker.spool import Spool
    from search.worker.trainer import Trainer

MAX_DEATHS = 3
"""A trial that has cost so many trainers is not tried again."""

AttemptEnding = Literal["ended", "paused", "failed", "lost", "left"]
"""`lost`: another worker may hold the trial. `left`: the worker was asked to end while the store was away."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a worker lends to each of its attempts."""

    trainer: Trainer
    patience: Patience
    spool: Spool
    leaving: threading.Event
    """Set when the worker is asked to end."""
    stall: float
    """Seconds after which a trainer that says nothing is replaced."""


class Conclusion:
    """Records how one attempt ended. Nothing is written of a trial whose lease may be lost."""

    def __init__(self, study: Study, claim: Claim, recording: Recording, heartbeat: Heartbeat, means: Means) -> None:
        """Prepare for the claimed trial, whose story is in `recording`."""
        self._study = study
        self._claim = claim
        self._recording = recording
        self._heartbeat = heartbeat
        self._means = means

    def ended(self, ended: TrialEnded, cause: Cause | None) -> AttemptEnding:
        """Record a trial that ended with a value, or pauses; `cause` as in `reason_of`."""
        if ended.ending == "paused":
            return self._paused(ended, cause)
        reason, why = reason_of(self._study, self._claim, ended, cause)
        outcome = self._recording.ended(ended, reason, why)
        state: Literal["pruned", "complete"] = "pruned" if reason == "pruned" else "complete"
        return self._record(self._result(state, self._recording.value, outcome))

    def failed(self, failure: Failed, reason: Reason, log: str) -> AttemptEnding:
        """Record a trial that ended without a value."""
        return self._record(self._result("failed", None, self._recording.failed(failure, reason, log)))

    def failed_at_once(self, failure: Failed, reason: Reason, log: str, *, is_torn: bool) -> AttemptEnding:
        """Give a trial to the other workers that failed before anything was judged; record it where there are none.

        It costs an attempt, so that a point that fails everywhere is not passed round for ever. Where
        its trainer was torn away (`is_torn`) it is tried again in any case.
        """
        if self._may_go_back():
            why = f"Failed on {self._claim.worker} ({reason}: {failure.message}); another worker tries it."
            return self._again(failure, reason, log, why)
        return self.tried_again(failure, reason, log) if is_torn else self.failed(failure, reason, log)

    def tried_again(self, failure: Failed, reason: Reason, log: str) -> AttemptEnding:
        """Let a trial go on from its checkpoint whose trainer died; at last record that it failed."""
        return self._again(failure, reason, log, f"{failure.message} It is tried again.")

    def out_of_memory(self, failure: Failed, log: str) -> AttemptEnding:
        """Let a trial go on with fewer images at once, so that the batch size that was proposed is what is tried."""
        micro_batch = smaller(self._claim.hyperparameters["batch_size"], self._claim.micro_batch)
        if micro_batch is None:
            return self.failed(failure, "out_of_memory", log)
        why = f"{failure.message} It is tried again with {micro_batch} images at once, whose gradients are added up."
        note = self._study.note
        return self._again(
            failure, "out_of_memory", log, why, lambda: note(self._claim.number, "micro_batch", micro_batch)
        )

    def _again(
        self, failure: Failed, reason: Reason, log: str, why: str, note: Callable[[], None] = lambda: None
    ) -> AttemptEnding:
        """Leave a trial to whoever is first, at the cost of an attempt; record its failure after the last one."""
        deaths = self._recording.deaths + 1
        if deaths >= MAX_DEATHS:
            return self.failed(failure, reason, log)

        def write() -> None:
            note()
            self._study.note(self._claim.number, "deaths", deaths)
            self._recording.handed_back(why)

        curve = self._recording.curve
        epochs = int(curve[-1]["epoch"]) if curve else 0
        return self._let_go(
            write,
            lambda: self._study.store.ledger.release(self._claim.token, epochs, lost=True),
            f"failed and is tried again: {failure.message}",
        )

    def handed_back(self, how: str) -> AttemptEnding:
        """Give back a trial at its last checkpoint, at no cost; `how` says where it stands, and why."""
        curve = self._recording.curve
        epochs = int(curve[-1]["epoch"]) if curve else 0
        return self._let_go(
            lambda: self._recording.handed_back(f"Given back {how}."),
            lambda: self._study.store.ledger.release(self._claim.token, epochs),
            f"given back {how}",
        )

    def _paused(self, ended: TrialEnded, cause: Cause | None) -> AttemptEnding:
        ledger, epochs = self._study.store.ledger, int(ended.epochs)
        stands_at = max(ended.epochs, ended.stands_at)
        if cause == "worker":
            why = f"Given back after {format_epochs(stands_at)}: its worker was asked to end."
        else:
            why = waits(self._study, ended)
        return self._let_go(
            lambda: self._recording.paused(ended, why),
            lambda: (
                ledger.release(self._claim.token, epochs)
                if cause == "worker"
                else ledger.pause(self._claim.token, ended.images, epochs)
            ),
            f"paused after {format_epochs(stands_at)}",
        )

    def _may_go_back(self) -> bool:
        """Whether somebody else is there to take the trial; no, where the store cannot say."""
        found = self._means.patience.until_done(
            lambda: (has_others(self._study, self._claim.worker),), self._means.leaving
        )
        return found is not None and found[0]

    def _result(self, state: Literal["complete", "pruned", "failed"], value: float | None, outcome: Outcome) -> Result:
        told = self._recording
        return Result(
            study=self._study.name, number=self._claim.number, token=self._claim.token, worker=self._claim.worker,
            attempt=self._claim.attempt, state=state, value=value, outcome=outcome, curve=tuple(told.curve),
            vitals=tuple(told.vitals), story=told.story,
        )  # fmt: skip

    def _record(self, result: Result) -> AttemptEnding:
        """Spool a result, deliver it however long that takes, and forget the spooled one."""
        self._means.spool.keep(result)
        passing("spooled")
        is_accepted = self._means.patience.until_done(lambda: self._deliver(result), self._means.leaving)
        if is_accepted is None:
            logger.warning("trial %d: its result is spooled, and recorded by the next worker here", result.number)
            return "left"
        self._means.spool.remove(result)
        if not is_accepted:
            return "lost"
        logger.info("trial %d %s: %s", result.number, result.outcome.reason, result.outcome.why)
        return "failed" if result.state == "failed" else "ended"

    def _deliver(self, result: Result) -> bool:
        if result.outcome.reason == "early_stopped" and result.value is not None and self._heartbeat.holds():
            self._recording.write()
            Judge(self._study).carry(result.number, result.outcome.images, result.value)
        return deliver(self._study, result)

    def _let_go(self, note: Callable[[], None], change: Callable[[], bool], what: str) -> AttemptEnding:
        """Write why a trial waits, then leave it to others; repeated as a whole until the store has answered."""

        def act() -> bool:
            # Where it was done before, and the answer was lost, Optuna takes no note any more.
            with suppress(UpdateFinishedTrialError):
                if self._heartbeat.holds() and self._recording.write():
                    note()
                    passing("paused")
            return change()  # which knows whether it was done before

        is_ours = self._means.patience.until_done(act, self._means.leaving)
        if is_ours is None:
            return "left"
        if not is_ours:
            return "lost"
        logger.info("trial %d %s", self._claim.number, what)
        return "paused"
