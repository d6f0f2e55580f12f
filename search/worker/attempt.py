"""One attempt: a claimed trial, from the first command to its last record."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from search.durations import format_epochs
from search.training.messages import (
    PARTIAL,
    EpochEnded,
    Failed,
    Interrupt,
    Progress,
    Train,
    TrialEnded,
    TrialStarted,
    Verdict,
)
from search.worker.recording import Recording
from search.worker.trainer import TrainerDiedError

if TYPE_CHECKING:
    import threading

    from search.study import Study
    from search.training.messages import Action, Event
    from search.trial import Reason
    from search.worker.claim import Claim
    from search.worker.heartbeat import Heartbeat
    from search.worker.judge import Judge
    from search.worker.trainer import Trainer

POLL_SECONDS = 0.5
STALL_SECONDS = 1800.0  # without a word: tracing the largest networks takes minutes, not this
LAST_WORDS_SECONDS = 300.0  # from an interrupt to the trial's end: a validation pass

AttemptEnding = Literal["ended", "paused", "failed", "lost"]
_Cause = Literal["time", "stop", "worker"]

logger = logging.getLogger(__name__)


class Attempt:
    """Supervises one training: passes judgements on, asks the judge, and knows how it ended."""

    def __init__(
        self, study: Study, claim: Claim, trainer: Trainer, judge: Judge, heartbeat: Heartbeat,
        leaving: threading.Event,
    ) -> None:  # fmt: skip
        """Prepare; `leaving` is set when the worker is asked to end."""
        self._study = study
        self._claim = claim
        self._trainer = trainer
        self._judge = judge
        self._heartbeat = heartbeat
        self._leaving = leaving
        self._recording = Recording(study, claim)
        self._cause: _Cause | None = None
        self._interrupted_at = 0.0
        self._heard_at = time.monotonic()
        self._has_stepped = False
        self._failure: Failed | None = None
        self._ending: TrialEnded | None = None

    def run(self) -> AttemptEnding:
        """Train the claimed trial to its end, whatever that is; the record is written on return.

        Returns:
            `lost` where another worker may hold the trial: then nothing was written, and the
            trainer was killed.
        """
        try:
            self._trainer.send(self._command())
            while self._ending is None and self._failure is None:
                if self._heartbeat.is_lost:
                    return self._lost()
                if self._is_asked_to_end() and not self._has_stepped:
                    return self._hand_back()
                if self._failure is None:
                    self._hear(self._trainer.receive(POLL_SECONDS))
        except TrainerDiedError as error:
            self._failure = Failed(reason="crashed", message=_death(error), details=error.log)
        return self._close()

    def _command(self) -> Train:
        objective = self._study.space.objective
        folder = self._study.store.files.trial(self._study.name, self._claim.number)
        return Train(
            trial=self._claim.number,
            hyperparameters=self._claim.hyperparameters,
            seed=self._claim.seed,
            metric=objective.metric,
            direction=objective.direction,
            folder=str(Path(folder).absolute()),
            resume=self._claim.resume,
            builders=self._study.space.builders,
            judge_at=self._judge.judge_at,
            checkpoint_seconds=self._study.space.checkpoint,
        )

    def _hear(self, event: Event | None) -> None:
        if event is None:
            self._check_silence()
            return
        self._heard_at = time.monotonic()
        match event:
            case TrialStarted():
                self._recording.resumed(event)
                self._heartbeat.progress = f"epoch {int(event.epoch) + 1}, compiling"
            case Progress():
                self._has_stepped = True
                self._heartbeat.progress = f"epoch {event.epoch}, step {event.step}/{event.steps}"
            case EpochEnded():
                self._has_stepped = True
                self._judged(event)
            case TrialEnded():
                self._ending = event
            case Failed():
                self._failure = event

    def _judged(self, event: EpochEnded) -> None:
        self._recording.judged(event)
        metric = self._study.space.objective.metric
        logger.info("trial %d epoch %.4g: %s %.4f", event.trial, event.epoch, metric, event.metrics[metric])
        self._trainer.send(Verdict(action=self._verdict_on(event)))

    def _verdict_on(self, event: EpochEnded) -> Action:
        if self._cause == "worker":
            return "pause"
        if self._cause:
            return "stop"
        return self._judge.verdict(event.trial, event.images)

    def _is_asked_to_end(self) -> bool:
        """Whether the trial should end now; the first time, the trainer is told."""
        if self._cause:
            if time.monotonic() - self._interrupted_at > LAST_WORDS_SECONDS:
                self._give_up("did not end when it was asked to")
            return True
        self._cause = "worker" if self._leaving.is_set() else self._heartbeat.ending
        if self._cause is None:
            return False
        self._interrupted_at = time.monotonic()
        self._trainer.send(Interrupt(action="pause" if self._cause == "worker" else "stop"))
        return True

    def _hand_back(self) -> AttemptEnding:
        """Give the trial back while its network is still being compiled: there is nothing to lose, or to wait for."""
        self._trainer.kill()
        epochs = self._study.trials()[self._claim.number].epochs
        self._recording.handed_back(f"Given back after {format_epochs(epochs)}, before more was trained.")
        self._study.store.ledger.release(self._claim.token, int(epochs))
        logger.info("trial %d given back before its first step", self._claim.number)
        return "paused"

    def _check_silence(self) -> None:
        if time.monotonic() - self._heard_at > STALL_SECONDS:
            self._give_up(f"said nothing for {STALL_SECONDS / 60:.0f} minutes")

    def _give_up(self, what: str) -> None:
        self._trainer.kill()
        message = f"The trainer {what}, and was replaced. Its last lines are kept with the trial."
        self._failure = Failed(reason="crashed", message=message, details="stalled")

    def _lost(self) -> AttemptEnding:
        logger.warning("lease lost: trial %d belongs to another worker now", self._claim.number)
        self._trainer.kill()
        return "lost"

    def _close(self) -> AttemptEnding:
        ledger = self._study.store.ledger
        if self._failure is not None:
            self._fail(self._failure)
            ledger.end(self._claim.token)
            return "failed"
        ended = self._ending
        assert ended is not None
        if ended.ending == "paused":
            return self._pause(ended)
        reason, why = self._reason(ended)
        if reason == "early_stopped" and ended.best_value is not None:
            self._judge.carry(ended.trial, ended.images, ended.best_value)
        self._recording.ended(ended, reason, why)
        ledger.end(self._claim.token)
        logger.info("trial %d %s: %s", ended.trial, reason, why)
        return "ended"

    def _pause(self, ended: TrialEnded) -> AttemptEnding:
        ledger = self._study.store.ledger
        if self._cause == "worker":
            self._recording.paused(
                ended, f"Given back after {format_epochs(ended.epochs)}: its worker was asked to end."
            )
            ledger.release(self._claim.token, int(ended.epochs))
        else:
            self._recording.paused(ended, self._waits(ended))
            ledger.pause(self._claim.token, ended.images, int(ended.epochs), ended.best_value)
        logger.info("trial %d paused after %s", ended.trial, format_epochs(ended.epochs))
        return "paused"

    def _waits(self, ended: TrialEnded) -> str:
        where = f"{ended.images:,} images ({format_epochs(ended.epochs)})"
        return f"Waits at {where} until it is among the best of its rung; {self._best(ended)} so far."

    def _best(self, ended: TrialEnded) -> str:
        metric = self._study.space.objective.metric
        part = ended.best_metrics.get(PARTIAL)
        on = f" on {part:.0f} of {self._study.data.n_validation} validation images" if part else ""
        return f"best {metric} {ended.best_value:.4f} at epoch {ended.best_epoch:.4g}{on}"

    def _reason(self, ended: TrialEnded) -> tuple[Reason, str]:
        metric, best = self._study.space.objective.metric, self._best(ended)
        if ended.ending == "finished":
            return "finished", f"Trained all {format_epochs(ended.epochs)}; {best}."
        if ended.ending == "early_stopped":
            patience = self._claim.hyperparameters["patience"]
            return "early_stopped", f"No better {metric} for {format_epochs(patience)} (its patience); {best}."
        if self._cause == "time":
            return "cancelled", f"The study's time was up after {format_epochs(ended.epochs)}; {best}, which counts."
        if self._cause == "stop":
            return (
                "cancelled",
                f"The study was asked to end after {format_epochs(ended.epochs)}; {best}, which counts.",
            )
        pruner = self._study.space.pruner.name
        return (
            "pruned",
            f"Ended after {format_epochs(ended.epochs)} by the {pruner} pruner: others were better; {best}.",
        )

    def _fail(self, failure: Failed) -> None:
        reason: Reason = "stalled" if failure.details == "stalled" else failure.reason
        self._recording.failed(failure, reason, failure.details or self._trainer.last_lines())
        logger.warning("trial %d %s: %s", self._claim.number, reason, failure.message)


def _death(error: TrainerDiedError) -> str:
    cause = ""
    if error.signal == "SIGKILL":
        cause = " Most often the machine ran out of memory: try a smaller batch size or fewer workers."
    how = str(error)
    return f"{how[0].upper()}{how[1:]} during this trial.{cause} The worker went on with a new one."
