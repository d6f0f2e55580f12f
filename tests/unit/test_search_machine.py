"""How the machine is shared out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search import machine

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_workers_share_the_memory_as_they_share_the_cores(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 8)
    total = machine.memory().total

    share = machine.memory_share(machine.shares(workers).threads)

    assert 0.5 * total < workers * share < 0.91 * total


def test_share_of_the_memory_does_not_grow_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    free = [12 * GIB]
    monkeypatch.setattr(machine, "available_memory", lambda: free[-1])
    share = machine.memory_share(1)

    free.append(3 * GIB)

    assert machine.memory_share(1) == share


def test_share_of_more_threads_than_cores_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)

    assert machine.memory_share(8) == machine.memory_share(2)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [("0", ["0"]), ("2, 0", ["2", "0"]), ("GPU-5ad3", ["GPU-5ad3"]), ("", []), ("-1", [])],
)
def test_gpus_are_those_that_the_environment_names(
    chosen: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)

    assert machine.gpus() == found


def test_gpus_are_those_of_the_kernel_and_each_has_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    monkeypatch.setattr(machine, "_DEVICES", tmp_path)
    monkeypatch.setattr(machine, "cores", lambda: 12)

    assert machine.gpus() == ["0", "1", "2"]
    assert machine.shares() == machine.Shares(workers=3, threads=4)
