"""Workers as people run them: several, by hand, killed, and asked to end."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from conftest import ENDLESS, SHORT, SPACE

if TYPE_CHECKING:
    from conftest import Shell

BAD = """\
def build(input_shape, hyperparameters):
    raise ValueError("no kernel of size -1")
"""
WAIT = 300  # seconds, for what takes ten on a quiet machine


def n_epochs(shell: Shell) -> int:
    """Epochs of the first trial so far."""
    return len(shell.json("show", "quick", "0")["curve"])


def trainer_of(worker_pid: int) -> int:
    import psutil

    [child] = [c for c in psutil.Process(worker_pid).children() if "search.training" in c.cmdline()]
    return child.pid


@pytest.mark.slow
@pytest.mark.parametrize("any_shell", ["sqlite", "postgresql"], indirect=True)
def test_killed_worker_leaves_its_trial_to_the_other(any_shell: Shell) -> None:
    shell = any_shell
    shell.write(ENDLESS)
    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    first = shell.start("worker", "quick", "--drain", "--lease", "10s", "--threads", "1")
    shell.wait_for(lambda: "trial 0 epoch 2:" in shell.log(0), "the first worker's trial under way")
    shell.run("enqueue", "quick", SHORT)
    second = shell.start("worker", "quick", "--drain", "--lease", "10s", "--threads", "1")
    shell.wait_for(lambda: "trial 1 early_stopped" in shell.log(1), "the second worker's trial at its end")
    lost = shell.json("show", "quick", "0")
    first.kill()
    shell.wait_for(lambda: "trial 0 epoch" in shell.log(1), "the lost trial under way again")
    shell.run("stop", "quick")

    assert second.wait(timeout=WAIT) == 0

    counts = shell.trials()
    assert counts["complete"] == 2
    assert sum(counts.values()) == 2  # nothing was copied, nothing was lost
    again = shell.json("show", "quick", "0")
    assert (lost["attempts"], again["attempts"]) == (1, 2)
    assert f"-{first.pid}-" in lost["worker"]
    assert f"-{second.pid}-" in again["worker"]
    whole = [epoch["epoch"] for epoch in again["curve"]][:-1]  # the last one may be cut short by `stop`
    assert whole == list(range(1, len(whole) + 1))
    assert len(again["curve"]) > len(lost["curve"]) >= 2
    assert again["curve"][: len(lost["curve"])] == lost["curve"]


@pytest.mark.slow
def test_stop_ends_running_trials_with_what_they_have(shell: Shell) -> None:
    shell.write(ENDLESS)
    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    worker = shell.start("worker", "quick", "--drain")
    shell.wait_for(lambda: "trial 0 epoch 1:" in shell.log(0), "a first epoch")

    shell.run("stop", "quick")

    assert worker.wait(timeout=WAIT) == 0
    [shown] = shell.json("status", "quick")
    assert shown["state"] == "stopped"
    trial = shell.json("show", "quick", "0")
    assert (trial["state"], trial["reason"]) == ("complete", "cancelled")
    assert trial["value"] == max(epoch["val_accuracy"] for epoch in trial["curve"])


def test_ctrl_c_on_start_gives_trials_back(shell: Shell) -> None:
    shell.write(ENDLESS)
    start = shell.start("start", "--space", "quick.yaml", "--workers", "1")
    shell.wait_for(lambda: "trial 0: running, epoch" in shell.log(0), "a first epoch")

    start.send_signal(signal.SIGINT)

    assert start.wait(timeout=WAIT) == 130
    said = shell.log(0)
    assert "interrupted. What ran here was given back where it stood; the same command carries on." in said
    assert "best: trial 0, val_accuracy " in said
    assert "next:" in said
    [shown] = shell.json("status", "quick")
    assert shown["trials"]["paused"] == 1
    assert shown["trials"]["running"] == 0
    assert shown["workers"] == []


def test_bad_trials_leave_their_reason(shell: Shell) -> None:
    (shell.folder / "networks").mkdir()
    (shell.folder / "networks" / "bad.py").write_text(BAD)
    shell.write(SPACE.replace("architecture: LeNet5", 'architecture: "bad:build"') + "builders: networks\n")
    shell.run("start", "--space", "quick.yaml", "--workers", "1", "--trials", "1")

    trial = shell.json("show", "quick", "0")

    assert (trial["state"], trial["reason"]) == ("failed", "crashed")
    assert "no kernel of size -1" in trial["why"]
    assert 'networks/bad.py", line 2, in build' in trial["log"]
    shown = " ".join(shell.run("show", "quick", "0").stdout.split())
    assert "the trainer's last lines" in shown
    assert shown.endswith("ValueError: no kernel of size -1")


@pytest.mark.slow
@pytest.mark.parametrize(("place", "attempts"), [("judged:kill:2", 2), ("spooled:kill", 1), ("told:kill", 1)])
def test_f01_real_training_killed_at_a_named_place(shell: Shell, place: str, attempts: int) -> None:
    shell.write(SPACE.replace("trials: 6", "trials: 1"))
    shell.run("start", "--space", "quick.yaml", "--workers", "0")
    first = shell.start("worker", "quick", "--drain", "--lease", "10s", HPSEARCH_FAILPOINT=place)
    assert first.wait(timeout=WAIT) == -signal.SIGKILL

    second = shell.start("worker", "quick", "--drain", "--lease", "10s")

    assert second.wait(timeout=WAIT) == 0
    trial = shell.json("show", "quick", "0")
    assert (trial["state"], trial["attempts"]) == ("complete", attempts)
    assert [entry["epoch"] for entry in trial["curve"]] == [1, 2, 3, 4]
    assert trial["value"] == max(entry["val_accuracy"] for entry in trial["curve"])
    # Epoch 2 was in a checkpoint when its worker was killed: what the store did not know is made up for.
    assert "trial 0 epoch 2:" not in shell.log(1)
    assert shell.json("late-results", "quick") == []
