"""How the machine is shared out."""

from __future__ import annotations

import psutil
import pytest

from search import machine

GIB = 2**30


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_workers_share_the_memory_as_they_share_the_cores(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 8)
    total = psutil.virtual_memory().total

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
