"""What a worker that is asked to end makes of its trial and its trainer."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from small_study import DATA, SPACE

from search.errors import TrainerError
from search.study import Study, create
from search.training.messages import Interrupt, Progress, Seconds, Train, TrialEnded, TrialStarted
from search.worker import attempt, claim, trainer, worker
from search.worker.attempt import Attempt
from search.worker.claim import Claim, Holder
from search.worker.conclusion import Means
from search.worker.heartbeat import Heartbeat
from search.worker.judge import Judge
from search.worker.orders import Orders
from search.worker.patience import Patience
from search.worker.spool import Spool
from search.worker.trainer import TrainerDiedError
from search.worker.worker import Worker
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.store import Store

STARTED = TrialStarted(trial=0, parameters=7, epoch=0, curve=[])
PROGRESS = Progress(trial=0, epoch=1, step=3, steps=9)
PAUSED = TrialEnded(
    trial=0, ending="paused", images=0, epochs=0, best_epoch=0, best_value=None, best_metrics={}, parameters=7,
    seconds=Seconds(), weights="", confusion="", stands_at=0.33,
)  # fmt: skip


class Script:
    """A trainer that says what is written for it; what is called happens in that moment."""

    memory_share = 2**30

    def __init__(self, *events: Any) -> None:
        self._events = list(events)
        self.sent: list[Any] = []
        self.is_killed = False

    def send(self, command: Any) -> None:
        self.sent.append(command)

    def receive(self, timeout: float) -> Any:
        event = self._events.pop(0) if self._events else None
        if isinstance(event, Exception):
            raise event
        return event() if callable(event) else event

    def memory(self) -> int:
        return 2**20

    def last_lines(self) -> str:
        return ""

    def kill(self) -> None:
        self.is_killed = True


def attempted(store: Store, script: Script, leaving: threading.Event) -> tuple[Any, Study]:
    """What becomes of a trial's first attempt."""
    study = create(store, "mine", read_space_text(SPACE), DATA, seed=0)
    holder = Holder(worker="me")
    claimed = claim.claim(study, holder)
    assert isinstance(claimed, Claim)
    means: Any = Means(
        trainer=script, patience=Patience(store), spool=Spool.of(store.files, "me"), leaving=leaving, stall=1800.0
    )  # type: ignore[arg-type]
    with Heartbeat(study, claimed, holder) as heartbeat:
        return Attempt(study, claimed, Judge(study), heartbeat, means).run(), study


def assert_given_back(store: Store, study: Study, why: str) -> None:
    [trial] = study.trials()
    [holding] = store.ledger.holdings("mine")
    assert (trial.state, trial.attempts, trial.outcome.why) == ("paused", 1, why)
    assert (holding.state, holding.is_lost) == ("released", False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_trainer_that_dies_with_the_request_to_end_costs_no_attempt(store: Store, number: int) -> None:
    leaving = threading.Event()
    script = Script(STARTED, PROGRESS, leaving.set, TrainerDiedError(-number, ""))

    ending, study = attempted(store, script, leaving)

    assert ending == "paused"
    name = signal.Signals(number).name
    why = f"Given back at its last checkpoint: its worker was asked to end, and the trainer was killed by {name}."
    assert_given_back(store, study, why)


def test_trainer_that_does_not_hear_costs_no_attempt(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "LAST_WORDS_SECONDS", -1.0)
    leaving = threading.Event()
    script = Script(STARTED, PROGRESS, leaving.set)

    ending, study = attempted(store, script, leaving)

    assert (ending, script.is_killed) == ("paused", True)
    why = "Given back at its last checkpoint: its worker was asked to end, and its trainer did not hear."
    assert_given_back(store, study, why)


def test_steps_that_were_not_heard_of_yet_are_kept(store: Store) -> None:
    leaving = threading.Event()
    leaving.set()  # before anything is heard; the trainer has trained meanwhile
    script = Script(STARTED, PROGRESS, PAUSED)

    ending, study = attempted(store, script, leaving)

    assert (ending, script.is_killed) == ("paused", False)
    assert [type(command) for command in script.sent] == [Train, Interrupt]
    assert_given_back(store, study, "Given back after 0.33 epochs: its worker was asked to end.")


def test_trial_that_was_not_begun_is_given_back_at_once(store: Store) -> None:
    leaving = threading.Event()
    script = Script(STARTED, leaving.set)

    ending, study = attempted(store, script, leaving)

    assert (ending, script.is_killed) == ("paused", True)
    assert_given_back(store, study, "Given back where it stood: its worker was asked to end before more was trained.")


class Loader:
    """A trainer that never has its data."""

    def __init__(self) -> None:
        self.is_killed = False

    def request(self, command: Any, timeout: float, is_unwanted: Callable[[], bool]) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_unwanted()
        raise TrainerError("the trainer's answer was awaited no longer")

    def kill(self) -> None:
        self.is_killed = True


def test_worker_that_is_asked_to_end_while_it_loads_takes_no_trial(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    create(store, "mine", read_space_text(SPACE), DATA, seed=0)
    loader = Loader()
    monkeypatch.setattr(worker.trainers, "started", lambda *_: loader)

    Worker(store, Orders(studies=("mine",))).run()

    assert loader.is_killed
    assert store.ledger.holdings("mine") == []
    assert store.ledger.workers(within=60) == []
    assert [record.levelname for record in caplog.records if record.levelname != "INFO"] == []


def test_trainer_that_nobody_waits_for_ends_while_it_imports_keras(tmp_path: Path) -> None:
    begun: list[trainer.Trainer] = []

    class Noted(trainer.Trainer):
        def __init__(self, threads: int, log: Path) -> None:
            super().__init__(threads, log)
            begun.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "Trainer", Noted)
        with pytest.raises(TrainerError, match="awaited no longer while it started"):
            trainer.started(1, tmp_path / "log", lambda: True)

    assert not begun[0].is_alive()
