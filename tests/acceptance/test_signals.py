"""Signals that reach every process of a search at once, and a terminal that is closed."""

from __future__ import annotations

import os
import pty
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest
from test_workers import WAIT

from search.durations import format_epochs

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shell

# A network of the user's own whose steps are noted, and take their time until there is a file `hurry`.
SLOW = """
import os
import time

import keras
from search.training.structures.network import TrialNetwork

whole = getattr(TrialNetwork, "whole", TrialNetwork._derive)  # imported once for each study


def derive(self, images, labels):
    with open("steps", "a") as file:
        file.write(".")
    if not os.path.exists("hurry"):
        time.sleep(0.05)
    return whole(self, images, labels)


TrialNetwork._derive, TrialNetwork.whole = derive, whole


def build(input_shape, hyperparameters):
    images = keras.Input(input_shape)
    return keras.Model(images, keras.layers.Conv2D(4, 3, strides=2, activation="relu")(images))
"""
SPACE = """\
study: quick
data: {source: mnist-5k, train_limit: 600, validation: 0.2}
builders: networks
search: {learning_rate: {float: [1e-3, 1e-2], log: true}}
fixed: {architecture: "slow:build", batch_size: 8, head_width: 32}
budget: {epochs: 2, trials: 1}
pruner: {name: none}
"""
STEPS = 2 * 600 // 8
START = ("start", "--space", "quick.yaml", "--workers", "1")


@pytest.fixture
def slow(shell: Shell) -> Shell:
    (shell.folder / "networks").mkdir()
    (shell.folder / "networks" / "slow.py").write_text(SLOW)
    shell.write(SPACE)
    return shell


def steps(shell: Shell) -> int:
    """Training steps that were done so far, by whichever trainer."""
    file = shell.folder / "steps"
    return len(file.read_text()) if file.exists() else 0


def to_all(processes: list[psutil.Process], *numbers: signal.Signals) -> None:
    """Send signals to all processes within an instant, as `scancel` and systemd do."""
    for number in numbers:
        for process in processes:
            process.send_signal(number)


def preempted_under_nohup(shell: Shell) -> list[psutil.Process]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which is all that nohup does, without a terminal
    try:
        start = shell.start(*START)
    finally:
        signal.signal(signal.SIGHUP, before)
    processes = at_work(shell, start.pid)
    to_all(processes, signal.SIGHUP)
    wait_for_steps(shell)  # it goes on
    to_all(processes, signal.SIGTERM)
    return processes


def stopped_by_systemd(shell: Shell) -> list[psutil.Process]:
    processes = at_work(shell, shell.start(*START).pid)
    to_all(processes, signal.SIGTERM, signal.SIGHUP)  # SendSIGHUP=yes
    return processes


def left_by_its_terminal(shell: Shell) -> list[psutil.Process]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(shell.folder)
        os.execve(sys.executable, [sys.executable, "-m", "search", *START], shell.environment())
    os.set_blocking(terminal, False)
    processes = at_work(shell, pid, lambda: os.read(terminal, 65536))
    os.close(terminal)
    return processes


def at_work(shell: Shell, pid: int, read: Callable[[], object] = lambda: None) -> list[psutil.Process]:
    """The processes of a `start` once they train; what it prints is `read` meanwhile."""
    wait_for_steps(shell, read)
    start = psutil.Process(pid)
    processes = [start, *start.children(recursive=True)]
    assert len(processes) == 3, processes  # with its worker and the trainer
    return processes


def wait_for_steps(shell: Shell, read: Callable[[], object] = lambda: None) -> None:
    before = steps(shell)

    def are_there() -> bool:
        with suppress(BlockingIOError):
            read()
        return steps(shell) > before + 5

    shell.wait_for(are_there, "some steps of the trial")


@pytest.mark.slow
def test_signals_to_all_processes_cost_no_step_however_often_they_come(slow: Shell) -> None:
    shell = slow
    for end in (preempted_under_nohup, stopped_by_systemd, left_by_its_terminal):
        processes = end(shell)
        ended, alive = psutil.wait_procs(processes, timeout=WAIT)
        assert alive == []
        assert {process.returncode for process in ended if process.pid == processes[0].pid} == {130}
        trial = shell.json("show", "quick", "0")
        assert (trial["state"], trial["attempts"]) == ("paused", 1), trial
        epochs = format_epochs(steps(shell) * 2 / STEPS)
        assert trial["why"] == f"Given back after {epochs}: its worker was asked to end."
    assert not any("Traceback" in log for log in shell.logs())

    shell.run("start", "--space", "quick.yaml", "--workers", "0", "--study", "whole")
    (shell.folder / "hurry").touch()
    shell.run("worker", "quick", "whole", "--drain")

    trial, whole = shell.json("show", "quick", "0"), shell.json("show", "whole", "0")
    assert (trial["state"], trial["reason"], trial["attempts"]) == ("complete", "finished", 1)
    assert steps(shell) == 2 * STEPS  # none was done twice
    assert trial["curve"] == whole["curve"]
