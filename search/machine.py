"""What this machine has, and how workers share it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from search import cgroups

MEMORY_PER_WORKER = 3 * 2**30  # bytes: TensorFlow, the data and a VGG16 with its optimizer
DISK_FLOOR = 2**30
"""Bytes of free disk below which a worker takes no trial: two checkpoints of forty million weights under Adam."""
GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"
"""Names the graphics processors that a process sees; TensorFlow takes the first of them."""
_DEVICES = Path("/dev")


@dataclass(frozen=True)
class Shares:
    """Workers to start on this machine, and the threads that each trainer gets."""

    workers: int
    threads: int


@dataclass(frozen=True)
class Cores:
    """Cores that this process may use."""

    usable: int
    """What its affinity and its container's quota leave: whole cores, one at least."""
    installed: int
    """That the machine has."""
    quota: float | None
    """Of its container, in cores, where that is what limits it."""


@dataclass(frozen=True)
class Memory:
    """Bytes of memory that this process and those beside it may take together."""

    total: int
    """The machine's memory, or the limit of this process' container where that is smaller."""
    installed: int
    """That the machine has."""

    @property
    def is_limited(self) -> bool:
        """Whether a container's limit counts."""
        return self.total < self.installed


def cores() -> int:
    """Cores that this process may use: its affinity, and a container's quota where one is set."""
    return processors().usable


def processors() -> Cores:
    """The cores, and what limits them.

    A quota is rounded down: with a thread more than it has whole cores, all of them would stand still together for
    the rest of each period (100 ms).
    """
    allowed = len(os.sched_getaffinity(0))
    quota = cgroups.cpu_quota()
    is_short = quota is not None and quota < allowed
    usable = max(1, int(quota)) if quota is not None and is_short else allowed
    return Cores(usable=usable, installed=os.cpu_count() or allowed, quota=quota if is_short else None)


def memory() -> Memory:
    """How much memory there is in all, used or not."""
    import psutil

    installed = int(psutil.virtual_memory().total)
    limit = cgroups.memory_limit()
    return Memory(total=installed if limit is None else min(limit, installed), installed=installed)


def available_memory() -> int:
    """Bytes that can be had without swapping, and within a container's limit."""
    import psutil

    available, free = int(psutil.virtual_memory().available), cgroups.free_memory()
    return available if free is None else min(available, free)


def memory_share(threads: int) -> int:
    """Bytes that a trainer may hold before it is replaced: of nine tenths of all, as large a part as of the cores.

    Not by what is available: where memory gets short each would be allowed more.
    """
    return int(memory().total * 0.9 * min(1.0, threads / cores()))


def free_disk(folder: Path) -> int:
    """Bytes that this user may still write where `folder` is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def gpus() -> list[str]:
    """The graphics processors of NVIDIA's that this process may use, as `CUDA_VISIBLE_DEVICES` names them.

    Without that variable all that the kernel shows; no driver is loaded to count them. CUDA counts from 0 what
    it sees, whatever the kernel calls them: a container may have but its host's fourth.
    """
    if (chosen := os.environ.get(GPU_VARIABLE)) is not None:
        return [name for one in chosen.split(",") if (name := one.strip()) not in ("", "-1")]
    found = [path for path in _DEVICES.glob("nvidia[0-9]*") if path.name.removeprefix("nvidia").isdigit()]
    return [str(number) for number in range(len(found))]


def shares(workers: int | None = None) -> Shares:
    """Share the machine out so that no thread is oversubscribed.

    Without a number of workers, one for every two cores, as memory allows. A worker for each core trains
    more images in all, but the best trial learns at half the pace, and each worker compiles each network anew: early in
    a search that costs more (docs/decisions/0010-one-worker-for-two-cores.md). With a GPU, one worker for each.
    """
    total = cores()
    if workers is None:
        by_memory = max(1, available_memory() // MEMORY_PER_WORKER)
        workers = len(gpus()) or max(1, min(total // 2, by_memory))
    return Shares(workers=workers, threads=max(1, total // max(1, workers)))
