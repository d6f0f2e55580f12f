"""What a worker was started to do."""

from __future__ import annotations

from dataclasses import dataclass

from search import machine

STALL_SECONDS = 1800.0  # tracing the largest networks takes minutes, not this


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a worker was started to do."""

    studies: tuple[str, ...] = ()
    """Names; empty for every open study of the store."""
    drain: bool = False
    """End when there is no work, instead of waiting for some."""
    max_trials: int | None = None
    """Trials to take at most."""
    threads: int = 1
    data: str | None = None
    """Where this machine has the data, if not where the study says."""
    lease: float = 60.0
    """Seconds after which a trial is taken from a worker that gives no sign of life."""
    stall: float = STALL_SECONDS
    """Seconds after which a trainer that says nothing is killed, and its trial has stalled."""
    disk_floor: int = machine.DISK_FLOOR
    """Bytes of free disk below which no trial is taken."""
