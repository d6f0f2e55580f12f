"""What becomes of a trial whose trainer dies, or has no room for its batch."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from conftest import ENDLESS, SHORT
from test_workers import WAIT, trainer_of

if TYPE_CHECKING:
    from conftest import Shell

# A network of the user's own whose file leaves the trainer room for so many images at once.
TIGHT = """
import keras
from search.training.structures.network import TrialNetwork

whole = TrialNetwork._derive


def derive(self, images, labels):
    if len(labels) > ROOM:
        raise MemoryError
    return whole(self, images, labels)


TrialNetwork._derive = derive


def build(input_shape, hyperparameters):
    images = keras.Input(input_shape)
    return keras.Model(images, keras.layers.Conv2D(4, 3, strides=2, activation="relu")(images))
"""
SPACE = """\
study: quick
data: {source: mnist-5k, train_limit: 600}
builders: networks
search: {learning_rate: {float: [1e-3, 1e-2], log: true}}
fixed: {architecture: "tight:build", batch_size: 100, head_width: 32}
budget: {epochs: 2, trials: 1}
pruner: {name: none}
"""


@pytest.mark.slow
def test_f13_killed_trainer_is_replaced_and_its_trial_goes_on(shell: Shell) -> None:
    shell.write(ENDLESS)
    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    worker = shell.start("worker", "quick", "--drain")
    shell.wait_for(lambda: "trial 0 of quick:" in shell.log(0), "the first trial taken")
    shell.run("enqueue", "quick", SHORT)
    for attempt in (1, 2, 3):
        shell.wait_for(lambda n=attempt: len(attempts_with_epochs(shell)) >= n, f"an epoch of attempt {attempt}")
        os.kill(trainer_of(worker.pid), signal.SIGKILL)
        shell.wait_for(lambda n=attempt: shell.log(0).count("was killed by SIGKILL") >= n, f"death {attempt} seen")

    assert worker.wait(timeout=WAIT) == 0
    first, second = (shell.json("show", "quick", str(number)) for number in range(2))
    assert (first["state"], first["reason"], first["attempts"]) == ("failed", "crashed", 3)
    assert "The trainer was killed by SIGKILL during this trial." in first["why"]
    epochs = [entry["epoch"] for entry in first["curve"]]
    assert epochs == list(range(1, len(epochs) + 1))  # each attempt went on where the one before stood
    assert second["state"] == "complete"


def attempts_with_epochs(shell: Shell) -> list[str]:
    """What the log has of the first trial after each time that it was taken, where an epoch ended."""
    return [part for part in shell.log(0).split("trial 0 of quick:")[1:] if "trial 0 epoch" in part]


@pytest.mark.parametrize(
    ("room", "state", "reason", "attempts"),
    [(12, "complete", "finished", 2), (0, "failed", "out_of_memory", 3)],
)
@pytest.mark.slow
def test_f14_batch_without_room_is_tried_in_micro_batches(
    shell: Shell, room: int, state: str, reason: str, attempts: int
) -> None:
    (shell.folder / "networks").mkdir()
    (shell.folder / "networks" / "tight.py").write_text(TIGHT.replace("ROOM", str(room)))
    shell.write(SPACE)

    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    shell.run("worker", "quick", "--drain")

    trial = shell.json("show", "quick", "0")
    assert (trial["state"], trial["reason"], trial["attempts"]) == (state, reason, attempts)
    if state == "complete":
        assert "12 images at once" in trial["why"]
        assert trial["value"] > 0.3
    else:
        assert "Memory was used up" in trial["why"]


# Its functions end the process that builds them, not only the trial.
DEADLY = """
import ctypes
import os


def abort(input_shape, hyperparameters):
    os.abort()


def segfault(input_shape, hyperparameters):
    ctypes.string_at(0)
"""
DEADLY_SPACE = """\
study: quick
data: {source: mnist-5k, train_limit: 600}
builders: networks
search: {architecture: {choice: ["deadly:abort", "deadly:segfault", LeNet5]}}
fixed: {batch_size: 100, head_width: 32}
budget: {epochs: 1, trials: 4}
sampler: {name: random}
pruner: {name: none}
"""


@pytest.mark.slow
def test_f15_builder_that_ends_the_process_fails_its_point_and_no_other(shell: Shell) -> None:
    (shell.folder / "networks").mkdir()
    (shell.folder / "networks" / "deadly.py").write_text(DEADLY)
    shell.write(DEADLY_SPACE)

    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    shell.run("worker", "quick", "--drain")

    trials = [shell.json("show", "quick", str(number)) for number in range(4)]
    assert [(trial["state"], trial["reason"], trial["attempts"]) for trial in trials] == [
        ("failed", "crashed", 3), ("failed", "crashed", 3), ("complete", "finished", 1), ("complete", "finished", 1),
    ]  # fmt: skip
    assert [signal_in(trial["why"]) for trial in trials[:2]] == ["SIGABRT", "SIGSEGV"]
    assert [trial["params"]["architecture"] for trial in trials[2:]] == ["LeNet5"] * 2  # tried again, unlike the others
    assert shell.trials() == {"running": 0, "waiting": 0, "paused": 0, "complete": 2, "pruned": 0, "failed": 2}


def signal_in(why: str) -> str:
    """The signal that a sentence names."""
    [name] = [word for word in why.split() if word.startswith("SIG")]
    return name


# Its functions never return; the second one lets no other Python code of the process run either.
SLEEPY = """
import ctypes
import time


def in_python(input_shape, hyperparameters):
    print("sleeping in Python", flush=True)
    time.sleep(1_000_000)


def in_c(input_shape, hyperparameters):
    print("sleeping in C", flush=True)
    ctypes.PyDLL(None).sleep(1_000_000)
"""


@pytest.mark.slow
def test_f28_builder_that_sleeps_for_ever_stalls(shell: Shell) -> None:
    (shell.folder / "networks").mkdir()
    (shell.folder / "networks" / "sleepy.py").write_text(SLEEPY)
    shell.write(
        DEADLY_SPACE.replace("trials: 4", "trials: 2").replace(
            '"deadly:abort", "deadly:segfault", LeNet5', '"sleepy:in_python", "sleepy:in_c"'
        )
    )

    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    worker = shell.start("worker", "quick", "--drain", "--lease", "5s", "--stall", "12s")

    assert worker.wait(timeout=WAIT) == 0
    trials = [shell.json("show", "quick", str(number)) for number in range(2)]
    # One attempt each: without beats the worker's own caretaker had taken its trial away.
    assert [(trial["state"], trial["reason"], trial["attempts"]) for trial in trials] == [("failed", "stalled", 1)] * 2
    assert all("The trainer said nothing for 12s, and was replaced." in trial["why"] for trial in trials)
    assert [trial["log"].splitlines()[-1] for trial in trials] == ["sleeping in Python", "sleeping in C"]
    assert "lease lost" not in shell.log(0)
