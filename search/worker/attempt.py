"""One attempt: a claimed trial, from the first command to its last record."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.exceptions import UpdateFinishedTrialError

from search.durations import format_limit
from search.errors import StudyNotFoundError
from search.training.messages import (
    EpochEnded,
    Failed,
    Interrupt,
    Progress,
    Train,
    TrialEnded,
    TrialStarted,
    Verdict,
)
from search.worker import folders
from search.worker.conclusion import Conclusion
from search.worker.reasons import death
from search.worker.recording import Recording
from search.worker.standing import SUSPECT, Suspicion
from search.worker.trainer import TrainerDiedError
from storage.failpoints import passing

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import Action, Event
    from search.trial import Reason
    from search.worker.claim import Claim
    from search.worker.conclusion import AttemptEnding, Means
    from search.worker.heartbeat import Heartbeat
    from search.worker.judge import Judge
    from search.worker.reasons import Cause

POLL_SECONDS = 0.5
LAST_WORDS_SECONDS = 300.0  # from an interrupt to the trial's end: a validation pass


logger = logging.getLogger(__name__)


class LeaseLostError(RuntimeError):
    """Another worker may hold the trial: nothing more may be written of it."""


class Attempt:
    """Supervises one training: passes judgements on, asks the judge, and knows how it ended."""

    def __init__(self, study: Study, claim: Claim, judge: Judge, heartbeat: Heartbeat, means: Means) -> None:
        """Prepare; reads what the store has of the trial."""
        self._study = study
        self._claim = claim
        self._judge = judge
        self._heartbeat = heartbeat
        self._means = means
        self._trainer = means.trainer
        self._recording = Recording(study, claim.number, claim.token)
        self._conclusion = Conclusion(study, claim, self._recording, heartbeat, means)
        self._cause: Cause | None = None
        self._interrupted_at = 0.0
        self._heard_at = time.monotonic()
        self._has_stepped = False
        self._has_judged = False
        self._has_died = False
        self._has_stalled = False
        self._memory = 0
        """Bytes that the trainer took when it was last looked at."""
        self.suspicion: Suspicion | None = None
        """Set where the trial failed in a way that may be this worker's fault."""
        self._failure: Failed | None = None
        self._ending: TrialEnded | None = None

    def run(self) -> AttemptEnding:
        """Train the claimed trial to its end, whatever that is; the record is written on return.

        Returns:
            `lost` where another worker may hold the trial: then nothing was written, and the
            trainer was killed. `left` where the worker was asked to end while the store was away.
        """
        try:
            return self._supervise() or self._close()
        except LeaseLostError:
            return self._lost()
        except UpdateFinishedTrialError:  # by the dashboard, or by who took it while this worker was suspended
            return self._lost("was ended elsewhere; what is trained here does not count")

    def _supervise(self) -> AttemptEnding | None:
        """Listen until the trainer has no more to say; None where the trial's end is then to be recorded."""
        try:
            self._trainer.send(self._command())
            while self._ending is None and self._failure is None:
                if self._heartbeat.is_lost:
                    return self._lost()
                if self._heartbeat.is_orphan:
                    raise StudyNotFoundError(f"study {self._study.name} was deleted")
                if self._is_asked_to_end() and self._is_untouched():
                    return self._hand_back("where it stood: its worker was asked to end before more was trained")
                if self._is_deaf():
                    return self._hand_back(
                        "at its last checkpoint: its worker was asked to end, and its trainer did not hear"
                    )
                if self._failure is None:
                    self._memory = self._trainer.memory() or self._memory
                    self._hear(self._trainer.receive(POLL_SECONDS))
        except TrainerDiedError as error:
            if self._means.leaving.is_set():  # what ends this worker may have ended its trainer, too
                return self._hand_back(f"at its last checkpoint: its worker was asked to end, and {error}")
            self._has_died = True
            self._failure = death(error, self._memory, self._trainer.memory_share)
        return None

    def _command(self) -> Train:
        objective = self._study.space.objective
        folder = self._folder()
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
            micro_batch=self._claim.micro_batch,
        )

    def _folder(self) -> Path:
        """The attempt's own folder, with what the attempts before it have left."""
        trial, mine = self._study.folder(self._claim.number), self._study.folder(self._claim.number, self._claim.token)
        if self._claim.resume:
            before = [folder for folder in folders.of(trial) if folder != mine]
            try:
                folders.take_over(before, mine)
            except FileNotFoundError as error:  # whoever has the trial now has removed it
                raise LeaseLostError from error

            def move() -> bool:
                if not self._heartbeat.holds():
                    raise LeaseLostError
                self._recording.moved(mine)
                return True

            if self._means.patience.until_done(move, self._means.leaving):
                folders.remove(before, trial)  # those alone: a later attempt may have its own by now
        return mine

    def _hear(self, event: Event | None) -> None:
        if event is None:
            self._check_silence()
            return
        self._heard_at = time.monotonic()
        match event:
            case TrialStarted():
                self._recording.resumed(event)
                self._means.patience.tries(self._write)
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
        passing("judged")
        self._has_judged = True
        self._recording.judged(event)
        metric = self._study.space.objective.metric
        logger.info("trial %d epoch %.4g: %s %.4f", event.trial, event.epoch, metric, event.metrics[metric])
        self._trainer.send(Verdict(action=self._verdict_on(event)))

    def _verdict_on(self, event: EpochEnded) -> Action:
        if self._cause == "worker":
            return "pause"
        if self._cause:
            return "stop"
        # While the store is away the trial goes on: its checkpoint keeps what the store does not know yet.
        if not self._means.patience.tries(self._write):
            return "continue"
        judge = self._judge
        verdict = self._means.patience.tries(lambda: judge.verdict(event.trial, event.images, event.condition))
        return verdict or "continue"

    def _write(self) -> bool:
        if not (self._heartbeat.holds() and self._recording.write()):
            raise LeaseLostError
        return True

    def _is_asked_to_end(self) -> bool:
        """Whether the trial should end now; the first time, the trainer is told."""
        if self._cause:
            if self._cause != "worker" and self._has_no_last_words():
                self._give_up("did not end when it was asked to")
            return True
        self._cause = "worker" if self._means.leaving.is_set() else self._heartbeat.ending
        if self._cause is None:
            return False
        self._interrupted_at = time.monotonic()
        self._trainer.send(Interrupt(action="pause" if self._cause == "worker" else "stop"))
        return True

    def _is_untouched(self) -> bool:
        """Whether nothing was trained in this attempt; what the trainer has said meanwhile is heard first."""
        while not self._has_stepped and (event := self._trainer.receive(0)) is not None:
            self._hear(event)
        return not self._has_stepped and self._ending is None and self._failure is None

    def _is_deaf(self) -> bool:
        """Whether the trainer goes on although this worker leaves: whether it stalls is for the next one to see."""
        return self._cause == "worker" and self._has_no_last_words()

    def _has_no_last_words(self) -> bool:
        return time.monotonic() - self._interrupted_at > LAST_WORDS_SECONDS

    def _hand_back(self, how: str) -> AttemptEnding:
        """Give the trial back at its last checkpoint, such as while its network is still being compiled."""
        self._trainer.kill()
        return self._conclusion.handed_back(how)

    def _check_silence(self) -> None:
        stall = self._means.stall
        if time.monotonic() - self._heard_at > stall:
            self._give_up(f"said nothing for {format_limit(stall)}")

    def _give_up(self, what: str) -> None:
        self._trainer.kill()
        self._has_died = self._has_stalled = True
        message = f"The trainer {what}, and was replaced. Its last lines are kept with the trial."
        self._failure = Failed(reason="crashed", message=message, details=self._trainer.last_lines())

    def _lost(self, how: str = "belongs to another worker now") -> AttemptEnding:
        logger.warning("lease lost: trial %d %s", self._claim.number, how)
        self._trainer.kill()
        return "lost"

    def _close(self) -> AttemptEnding:
        if self._failure is not None:
            ending = self._conclude_failed(self._failure)
        else:
            assert self._ending is not None
            ending = self._conclusion.ended(self._ending, self._cause)
        return self._lost() if ending == "lost" else ending

    def _conclude_failed(self, failure: Failed) -> AttemptEnding:
        reason: Reason = "stalled" if self._has_stalled else failure.reason
        log = failure.details or self._trainer.last_lines()
        if reason == "out_of_memory":
            self._trainer.kill()  # the next one has what this one still holds
            return self._conclusion.out_of_memory(failure, log)
        is_torn = self._has_died and reason == "crashed"
        if reason in SUSPECT and not self._has_judged:
            self.suspicion = Suspicion(
                study=self._study.name,
                number=self._claim.number,
                message=failure.message,
                is_reported=not self._has_died,
            )
            return self._conclusion.failed_at_once(failure, reason, log, is_torn=is_torn)
        if is_torn:
            return self._conclusion.tried_again(failure, reason, log)
        return self._conclusion.failed(failure, reason, log)
