"""What a trainer died of."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from search import machine
from search.worker.reasons import death
from search.worker.trainer import TrainerDiedError

GIB = 2**30


@pytest.fixture(autouse=True)
def _container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(total=3 * GIB, installed=24 * GIB))


def died(number: int, *, counted: bool) -> TrainerDiedError:
    return TrainerDiedError(-number, "", is_out_of_memory=counted)


def test_kill_that_the_kernel_counted_is_for_want_of_memory_whatever_was_seen() -> None:
    failure = death(died(signal.SIGKILL, counted=True), memory=GIB // 2, share=3 * GIB)

    assert failure.reason == "out_of_memory"
    assert failure.message == (
        "The trainer was killed by SIGKILL for want of memory during this trial. It took 0.5 GiB: this container's "
        "memory of 3.0 GiB ran out. Fewer workers leave more for each. The worker went on with a new one."
    )


def test_kill_that_was_not_counted_is_told_by_what_the_trainer_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(total=24 * GIB, installed=24 * GIB))
    large, small = (death(died(signal.SIGKILL, counted=False), n * GIB, share=3 * GIB) for n in (2, 1))

    assert (large.reason, small.reason) == ("out_of_memory", "crashed")
    assert "It took 2.0 GiB: the machine's memory ran out." in large.message
    assert small.message.startswith("The trainer was killed by SIGKILL during this trial. The worker")


def test_other_signal_is_no_want_of_memory_though_others_were_killed_for_it() -> None:
    assert death(died(signal.SIGSEGV, counted=True), memory=3 * GIB, share=3 * GIB).reason == "crashed"


PREPARED = """
from pathlib import Path
from search.training import process
process.prepare(1)
print(Path("/proc/self/oom_score_adj").read_text())
"""


def test_kernel_takes_the_trainer_before_its_worker() -> None:
    mine = int(Path("/proc/self/oom_score_adj").read_text())

    done = subprocess.run([sys.executable, "-c", PREPARED], capture_output=True, text=True, check=True)

    assert int(done.stdout) == min(1000, mine + 500)
