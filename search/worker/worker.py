"""A worker: serves one study or many, a trial at a time, until it is told to end."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from search import machine
from search.errors import SearchError, StudyNotFoundError, TrainerError
from search.sameness import check_data
from search.signals import EndRequest
from search.studies import PassedOver, forget_deleted, outlives_deletions, whole
from search.study import Study, load_command
from search.training.messages import DataLoaded, Failed, LoadData
from search.worker import idleness, keepsakes
from search.worker import trainer as trainers
from search.worker.attempt import Attempt
from search.worker.caretaker import Caretaker
from search.worker.claim import Claim, Holder, claim
from search.worker.closing import end_if_over
from search.worker.conclusion import Means
from search.worker.heartbeat import Heartbeat
from search.worker.judge import Judge
from search.worker.patience import Patience
from search.worker.spool import Spool
from search.worker.standing import Standing
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from search.worker.orders import Orders
    from search.worker.trainer import Trainer
    from storage.store import Store

WAIT_SECONDS = 1.0  # between two looks for work
DATA_SECONDS = 3600.0  # loading a data set, from a slow disk
MAX_MISSED = 3  # trainers in a row that are lost while they load a study's data

logger = logging.getLogger(__name__)


class Worker:
    """Holds the database, the lease, the signals and the log; never imports Keras."""

    def __init__(self, store: Store, orders: Orders) -> None:
        """Prepare; `run` does the work."""
        self._store = store
        self._orders = orders
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        self._holder = Holder(worker=self.id, lease=orders.lease)
        self._spool = Spool.of(store.files, self.id)
        self._patience = Patience(store)
        self._standing = Standing(self.id)
        self._end_request = EndRequest(lambda name: logger.info("%s: giving the trial back and ending", name))
        self._leaving = self._end_request.event
        self._trainer: Trainer | None = None
        self._loaded: tuple[LoadData, DataLoaded] | None = None
        self._refused: set[str] = set()
        self._passed_over = PassedOver(logger.warning)
        self._missed: dict[str, int] = {}
        """Trainers in a row that were lost before they had a study's data."""
        self._late: dict[str, float | None] = {}
        """Deadline of each study that had no work fitting into its time."""
        self._waits_for = ""
        self._n_taken = 0

    def run(self) -> None:
        """Take trials until there is nothing left to do, or a signal asks for the end.

        Raises:
            SearchError: where every study that was asked for has to be refused.
        """
        with self._end_request:
            try:
                self._patience.until_done(self._join, self._leaving)
                with Caretaker(self._store, self._holder, self._spool):
                    while not self._leaving.is_set() and not self._is_enough():
                        if self._patience.tries(self._round) is False:
                            break
                        self._patience.wait(self._leaving)
            finally:
                self._end_request.settle()
                self._close()

    def _join(self) -> bool:
        for name in self._orders.studies:
            Study(self._store, name)  # says so now if there is none
        self._store.ledger.join(self.id, socket.gethostname(), os.getpid())
        return True

    def _round(self) -> bool:
        """One piece of work, or a short wait for some; False where there will be none for this worker."""
        with outlives_deletions(self._store):
            if not (self._serve_once() or self._wait()):
                return False
        return True  # also where a study went meanwhile: then it looks again at what is left

    def _serve_once(self) -> bool:
        """Do one piece of work in one study, fairest first; False where there is none."""
        has_room = not self._disk().is_full
        for study in self._open_studies():
            with self._over(study):
                if not has_room:
                    end_if_over(study)
                elif self._is_ready_for(study) and not self._leaving.is_set() and self._serve(study):
                    return True
        return False

    def _serve(self, study: Study) -> bool:
        """Train a trial of a study; False where there is none, and then the study may have ended."""
        claimed = claim(study, self._holder)
        if isinstance(claimed, Claim):
            self._train(study, claimed)
            return True
        if claimed == "done":
            end_if_over(study)
        elif claimed == "late":
            self._late[study.name] = study.control().deadline
        return False

    def _open_studies(self) -> list[Study]:
        """Studies that may have work, fairest first."""
        found = [study for study in self._studies() if study.name not in self._refused]
        found = [study for study in found if study.state() in ("open", "stopping") and not self._is_late(study)]
        if len(found) > 1:  # what is fair depends on their trials
            found = fairest_first(self._readable(found, lambda study: study.trials()))
        return found

    def _studies(self) -> list[Study]:
        """Those that the worker serves. Any may be deleted meanwhile, but one that was asked for must be left."""
        found = list(whole(self._store, self._orders.studies, passed_over=self._passed_over))
        if self._orders.studies and not found:
            Study(self._store, self._orders.studies[0])  # says that there is none
        return self._readable(found, lambda study: study.control())

    def _readable(self, studies: list[Study], read: Callable[[Study], object]) -> list[Study]:
        found = []
        for study in studies:
            with self._over(study):
                read(study)
                found.append(study)
        return found

    def _over(self, study: Study) -> AbstractContextManager[None]:
        """Pass over a study that cannot be read; where it was asked for by name, the worker ends with the error."""
        return nullcontext() if self._orders.studies else self._passed_over.over(study.name)

    def _is_late(self, study: Study) -> bool:
        return study.name in self._late and self._late[study.name] == study.control().deadline

    def _wait(self) -> bool:
        """Wait for work; False where there will be none for this worker."""
        if self._leaving.is_set():
            return False
        self._say_why()
        if self._orders.drain and not self._open_studies():
            return False
        self._store.ledger.beat(self.id, None, None, "waits for work")
        self._store.rest()  # it may wait for a worker that has a result, and no connection to tell it with
        self._leaving.wait(WAIT_SECONDS)
        return True

    def _say_why(self) -> None:
        """Say what there is to wait for, once and when it changes; a time that is up is such a change."""
        studies = self._studies()
        why = idleness.sentence(idleness.look(studies, self._refused, self._is_late))
        if self._open_studies() and (disk := self._disk()).is_full:
            why = idleness.short_of_disk(disk)
        if why != self._waits_for:
            logger.info(why)
            self._waits_for = why
            for study in studies:
                with self._over(study):
                    keepsakes.complete(study)

    def _disk(self) -> idleness.Disk:
        folder = self._store.files.root
        return idleness.Disk(folder=folder, free=machine.free_disk(folder), floor=self._orders.disk_floor)

    def _is_enough(self) -> bool:
        return self._orders.max_trials is not None and self._n_taken >= self._orders.max_trials

    def _is_ready_for(self, study: Study) -> bool:
        """Have the study's data in memory; refuse the study before taking a trial if it is other data."""
        try:
            check_data(study, self._load(study), "give this machine the same files, or name them with --data")
        except SearchError as error:
            if self._leaving.is_set():
                self._drop_trainer()  # it may be in the midst of them, and would not hear that it should quit
                return False
            if isinstance(error, TrainerError) and self._may_load_again(study, error):
                return False
            if len(self._orders.studies) == 1:
                raise
            logger.error("study %s is left alone: %s", study.name, error)
            self._refused.add(study.name)
            return False
        self._missed.pop(study.name, None)
        return True

    def _may_load_again(self, study: Study, error: TrainerError) -> bool:
        """Go on without the trainer, whose end says nothing about the data; False once that has happened too often."""
        self._drop_trainer()
        self._missed[study.name] = self._missed.get(study.name, 0) + 1
        if self._missed[study.name] >= MAX_MISSED:
            return False
        logger.warning("the data of study %s were not loaded: %s; a new trainer tries again", study.name, error)
        return True

    def _load(self, study: Study) -> DataLoaded:
        wanted = load_command(study, self._orders.data)
        if self._trainer is not None and not self._trainer.is_alive():
            self._drop_trainer()  # or the next trial would be charged with its death
        if self._loaded is None or self._loaded[0] != wanted:
            answer = self._request(wanted)
            if isinstance(answer, Failed):
                raise SearchError(answer.message)
            assert isinstance(answer, DataLoaded)
            self._loaded = (wanted, answer)
        return self._loaded[1]

    def _request(self, command: LoadData) -> Any:
        if self._trainer is None:
            logger.info("starting a trainer (importing Keras takes some seconds)")
            log = self._store.files.logs / f"trainer-{self.id}.log"
            self._trainer = trainers.started(self._orders.threads, log, self._leaving.is_set)
        return self._trainer.request(command, DATA_SECONDS, self._leaving.is_set)

    def _train(self, study: Study, claimed: Claim) -> None:
        self._waits_for = ""
        self._n_taken += 1
        logger.info("trial %d of %s: %s", claimed.number, study.name, _described(claimed))
        assert self._trainer is not None
        with Heartbeat(study, claimed, self._holder) as heartbeat:
            try:
                means = Means(
                    trainer=self._trainer, patience=self._patience, spool=self._spool, leaving=self._leaving,
                    stall=self._orders.stall,
                )  # fmt: skip
                attempt = Attempt(study, claimed, Judge(study), heartbeat, means)
                attempt.run()
            except (KeyError, StudyNotFoundError):
                if study.exists():
                    raise
                self._drop_trainer()
                forget_deleted(self._store, study.name)
                logger.warning("study %s was deleted; trial %d is given up", study.name, claimed.number)
                return
            except BaseException:
                self._end_request.settle()
                self._drop_trainer()
                with suppress(StorageError):  # then its lease runs out
                    self._store.ledger.release(claimed.token, 0)
                raise
        if attempt.suspicion:
            avoided = self._holder.avoided | {(study.name, claimed.number)}
            self._holder = replace(self._holder, avoided=avoided)
        self._standing.count(study, attempt.suspicion)
        if not self._trainer.is_alive() or self._trainer.memory() > self._trainer.memory_share:
            self._drop_trainer()

    def _drop_trainer(self) -> None:
        if self._trainer is not None:
            self._trainer.kill()
        self._trainer = None
        self._loaded = None

    def _close(self) -> None:
        if self._trainer is not None:
            self._trainer.quit()
        with suppress(StorageError):
            self._store.ledger.leave(self.id)


def fairest_first(studies: list[Study]) -> list[Study]:
    """The study with the fewest running trials first; of equal ones, the one that has begun fewer."""
    return sorted(studies, key=_service_received) if len(studies) > 1 else studies


def _service_received(study: Study) -> tuple[int, int]:
    trials = study.trials()
    running = sum(trial.state == "running" for trial in trials)
    return running, sum(trial.state != "waiting" for trial in trials)


def _described(claimed: Claim) -> str:
    name = f"{claimed.name}: " if claimed.name else ""
    return name + ", ".join(f"{key} {_short(value)}" for key, value in claimed.params.items())


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
