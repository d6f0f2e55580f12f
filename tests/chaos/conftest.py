"""What the tests of this folder share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from arena import Arena

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage.store import Store


@pytest.fixture
def opened(store: Store, tmp_path: Path) -> Iterator[Callable[..., Arena]]:
    """Opens a study to let workers loose on; those that still run are killed with the test."""
    arenas: list[Arena] = []

    def one(trials: int = 1, epochs: int = 5) -> Arena:
        arenas.append(Arena.opened(store, tmp_path, trials, epochs))
        return arenas[-1]

    yield one
    for arena in arenas:
        arena.close()
