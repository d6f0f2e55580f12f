"""The trainer as its worker sees it: a real process behind two pipes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from training_talk import SMALL, train_command

from search.training.encoding import decode, encode
from search.training.messages import (
    DataLoaded,
    EpochEnded,
    Failed,
    Interrupt,
    LoadData,
    Measure,
    Measured,
    Quit,
    Ready,
    TrialEnded,
    Verdict,
)

LOAD = LoadData(source="mnist-5k", validation=0.1, train_limit=256, seed=0)
SHORT = {**SMALL, "epochs": 2}
PATIENCE = 300  # seconds, for what takes one
LONG = {**SMALL, "epochs": 10_000, "patience": 10_000}


class Process:
    def __init__(self, log):
        commands, events = os.pipe(), os.pipe()
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "search.training",
                "--commands", str(commands[0]), "--events", str(events[1]), "--threads", "1", "--memory", str(2**32),
            ],
            pass_fds=(commands[0], events[1]),
            stdout=log, stderr=log,
        )  # fmt: skip
        os.close(commands[0])
        os.close(events[1])
        self._commands, self._events = commands[1], os.fdopen(events[0], "rb")

    def say(self, command):
        os.write(self._commands, encode(command))

    def hear(self):
        return decode(self._events.readline())

    def ask(self, command):
        self.say(command)
        return self.hear()

    def trial(self, command):
        """Everything that is said until the trial's end."""
        self.say(command)
        events = []
        while not isinstance(event := self.hear(), (TrialEnded, Failed)):
            events.append(event)
            if isinstance(event, EpochEnded):
                self.say(Verdict(action="continue"))
        return events, event

    def close(self):
        if not self._events.closed:
            os.close(self._commands)
            self._events.close()


@contextmanager
def trainer(folder):
    with (folder / "trainer.log").open("ab") as log:
        running = Process(log)
    try:
        assert isinstance(running.hear(), Ready)
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        running.close()


def curve_of(events):
    return [event.metrics for event in events if isinstance(event, EpochEnded)]


def test_trainer_does_without_what_keras_does_not_need(tmp_path):
    with trainer(tmp_path) as running:
        mapped = {Path(one.path).parts for one in psutil.Process(running.process.pid).memory_maps()}

    packages = {parts[parts.index("site-packages") + 1] for parts in mapped if "site-packages" in parts}
    assert {"tensorflow", "numpy"} <= packages
    assert not {"sklearn", "pandas", "matplotlib"} & packages


def test_trainer_goes_on_after_each_failure(tmp_path):
    with trainer(tmp_path) as running:
        without_data = running.trial(train_command(tmp_path / "a", SHORT))[1]
        missing = running.ask(LoadData(source="idx:/nowhere", validation=0.1, train_limit=None, seed=0))
        loaded = running.ask(LOAD)
        unknown = running.trial(train_command(tmp_path / "b", {**SHORT, "architecture": "LeNet6"}))[1]
        extra = running.trial(train_command(tmp_path / "c", {**SHORT, "colour": "red"}))[1]
        diverged = running.trial(train_command(tmp_path / "d", {**SHORT, "optimizer": "sgd", "learning_rate": 1e30}))[1]
        running.say(Interrupt(action="stop"))  # comes too late for a trial: without effect
        measured = running.ask(Measure(hyperparameters=[SHORT], image_shape=(28, 28, 1), classes=10, builders=None))
        events, ended = running.trial(train_command(tmp_path / "e", SHORT))
        running.say(Quit())
        status = running.process.wait(PATIENCE)

    assert (without_data.reason, without_data.message) == (
        "bad_data",
        "data must be loaded before this, but none are",
    )
    assert missing.reason == "bad_data"
    assert isinstance(loaded, DataLoaded)
    assert (loaded.n_train, loaded.n_test) == (256, 1000)
    assert (unknown.reason, "LeNet6" in unknown.message) == ("crashed", True)
    assert extra.message == "TypeError: the trainer has no parameter 'colour'"
    assert diverged.reason == "diverged"
    assert diverged.seconds.setup > 0
    assert isinstance(measured, Measured)
    assert (ended.ending, len(curve_of(events))) == ("finished", 2)
    assert status == 0
    # Keras' own bars would fill the log; failures are what it is for.
    log = (tmp_path / "trainer.log").read_text()
    assert "ETA" not in log
    assert "━" not in log
    assert "LeNet6" in log


def test_two_processes_train_the_same_curve(tmp_path):
    curves = []
    for name in ("one", "other"):
        with trainer(tmp_path) as running:
            running.ask(LOAD)
            curves.append(curve_of(running.trial(train_command(tmp_path / name, SHORT))[0]))

    assert len(curves[0]) == 2
    assert curves[0] == curves[1]


def test_trainer_leaves_when_its_worker_closes_the_pipe(tmp_path):
    with trainer(tmp_path) as running:
        running.ask(LOAD)
        running.say(train_command(tmp_path / "a", LONG))
        while not isinstance(running.hear(), EpochEnded):
            pass
        running.say(Verdict(action="continue"))
        running.close()

        assert running.process.wait(PATIENCE) == 0


def test_quit_in_the_middle_of_a_trial_pauses_it(tmp_path):
    with trainer(tmp_path) as running:
        running.ask(LOAD)
        running.say(train_command(tmp_path / "a", LONG))
        while not isinstance(running.hear(), EpochEnded):
            pass
        running.say(Quit())
        while not isinstance(event := running.hear(), TrialEnded):
            pass

        assert (event.ending, event.epochs) == ("paused", 1)
        assert running.process.wait(PATIENCE) == 0


def test_f17_checkpoint_without_room_leaves_the_one_before(tmp_path):
    folder = tmp_path / "a"
    command = train_command(folder, {**SMALL, "epochs": 5})
    with trainer(tmp_path) as running:
        running.ask(LOAD)
        running.say(command)
        first = []
        while not isinstance(event := running.hear(), (TrialEnded, Failed)):
            if isinstance(event, EpochEnded):
                first.append(event)
                let_write(running, room_for_weights_only(folder) if len(first) == 1 else None)
                running.say(Verdict(action="pause" if len(first) == 4 else "continue"))
        left = sorted(path.name for path in folder.iterdir() if "checkpoint" in path.name)
        let_write(running, resource.RLIM_INFINITY)
        events, ended = running.trial(replace(command, resume=True))

    assert event.epochs == 4
    assert event.best_epoch > 2  # better weights than those that the checkpoint speaks of came and went
    assert left == ["checkpoint-000000256.json", "checkpoint-000000256.npz"]
    assert (tmp_path / "trainer.log").read_text().count("no checkpoint at") == 3
    assert events[0].epoch == 1
    assert curve_of(events)[:-1] == curve_of(first)[1:]
    assert (ended.epochs, ended.best_value >= event.best_value) == (5, True)


def room_for_weights_only(folder):
    """The size of a file that weights fit into, and a checkpoint, which also holds Adam's averages, does not."""
    [weights], [checkpoint] = folder.glob("best-*.npz"), folder.glob("checkpoint-*.npz")
    return (weights.stat().st_size + checkpoint.stat().st_size) // 2


def let_write(running, size):
    """Limit the size of the files that the trainer may write from now on; None leaves the limit as it is."""
    if size is not None:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


WORKER = """
import os, subprocess, sys
commands, events = os.pipe(), os.pipe()
child = subprocess.Popen(
    [
        sys.executable, "-m", "search.training",
        "--commands", str(commands[0]), "--events", str(events[1]), "--threads", "1", "--memory", str(2**32),
    ],
    pass_fds=(commands[0], commands[1], events[0], events[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
os.read(events[0], 1)
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_trainer_dies_with_a_worker_that_is_killed(tmp_path):
    # The trainer holds both ends of its pipes here, so no end of file will tell it.
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child = psutil.Process(int(worker.stdout.readline()))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdin.close()
    worker.stdout.close()

    until = time.monotonic() + PATIENCE
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_wrong_number_of_threads_is_refused():
    from search.training.process import prepare

    with pytest.raises(ValueError, match="at least one thread, but got 0"):
        prepare(0)
