"""How the machine is shared out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 2**30


@pytest.fixture
def _unsettled() -> Iterator[None]:
    machine.memory_per_worker.cache_clear()
    yield
    machine.memory_per_worker.cache_clear()


@pytest.mark.usefixtures("_unsettled")
def test_share_of_the_memory_does_not_grow_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    free = [12 * GIB]
    monkeypatch.setattr(machine, "cores", lambda: 8)
    monkeypatch.setattr(machine, "gpus", lambda: 0)
    monkeypatch.setattr(machine, "available_memory", lambda: free[-1])
    share = machine.memory_per_worker()

    free.append(3 * GIB)

    assert machine.shares().workers == 1
    assert machine.memory_per_worker() == share
