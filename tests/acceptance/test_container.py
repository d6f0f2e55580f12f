"""A worker in a real control group of its own, as a container has one; skipped where this user may make none."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search import cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Shell

LIMIT = 1200 * 2**20

# A network of the user's own that takes more memory than there is, where it gets more than so many images at once.
GREEDY = f"""
import keras
from search.training.structures.network import TrialNetwork

whole = TrialNetwork._derive


def derive(self, images, labels):
    if len(labels) > 12:
        bytearray({2 * LIMIT}).replace(b"a", b"b")
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
fixed: {architecture: "greedy:build", batch_size: 100, head_width: 32}
budget: {epochs: 1, trials: 1}
pruner: {name: none}
"""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A control group below this process' own, with a limit of memory."""
    names = {"memory.max": "memory.swap.max", "memory.limit_in_bytes": "memory.memsw.limit_in_bytes"}
    for own, *_ in cgroups._hierarchies("memory"):
        folder = own / f"hpsearch-{tmp_path.name}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            for limit, swap in names.items():
                if (folder / limit).exists():
                    (folder / limit).write_text(str(LIMIT))
                    with suppress(OSError):
                        (folder / swap).write_text("0" if "max" in swap else str(LIMIT))
                    yield folder
                    return
        except OSError:
            pass
        finally:
            folder.rmdir()
    pytest.skip("no control group with a limit of memory can be made here")


def within(group: Path, *command: str) -> list[str]:
    """A command that runs in a control group."""
    return ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", sys.executable, *command]


def test_process_in_a_control_group_sees_its_limit(group: Path) -> None:
    ask = "from search import machine; found = machine.memory(); print(found.total, found.is_limited)"

    done = subprocess.run(within(group, "-c", ask), capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(LIMIT), "True"]


@pytest.mark.slow
def test_trainer_that_a_container_has_no_room_for_goes_on_in_micro_batches(shell: Shell, group: Path) -> None:
    (shell.folder / "networks").mkdir()
    (shell.folder / "networks" / "greedy.py").write_text(GREEDY)
    shell.write(SPACE)
    shell.run("start", "--space", "quick.yaml", "--workers", "0")

    done = subprocess.run(
        within(group, "-m", "search", "worker", "quick", "--drain"),
        cwd=shell.folder, env=shell.environment(), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "was killed by SIGKILL for want of memory" in done.stderr
    assert "this container's memory of 1.2 GiB ran out" in done.stderr
    trial = shell.json("show", "quick", "0")
    assert (trial["state"], trial["reason"], trial["attempts"]) == ("complete", "finished", 2)
    assert "12 images at once" in trial["why"]
