"""What this machine has, and how workers share it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

MEMORY_PER_WORKER = 3 * 2**30  # bytes: TensorFlow, the data and a VGG16 with its optimizer
DISK_FLOOR = 2**30
"""Bytes of free disk below which a worker takes no trial: two checkpoints of forty million weights under Adam."""
_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Shares:
    """Workers to start on this machine, and the threads that each trainer gets."""

    workers: int
    threads: int


def cores() -> int:
    """Cores that this process may use: its affinity, and a container's quota where one is set."""
    allowed = len(os.sched_getaffinity(0))
    quota = _container_quota()
    return max(1, min(allowed, quota) if quota else allowed)


def available_memory() -> int:
    """Bytes that can be had without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def memory_share(threads: int) -> int:
    """Bytes that a trainer may hold before it is replaced: of nine tenths of all, as large a part as of the cores.

    Not by what is available: where memory gets short each would be allowed more.
    """
    import psutil

    return int(psutil.virtual_memory().total * 0.9 * min(1.0, threads / cores()))


def free_disk(folder: Path) -> int:
    """Bytes that this user may still write where `folder` is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def gpus() -> int:
    """Graphics processors of NVIDIA's that the kernel shows; counted without loading a driver."""
    return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()])


def shares(workers: int | None = None) -> Shares:
    """Share the machine out so that no thread is oversubscribed.

    Without a number of workers, one for every two cores, as memory allows. A worker for each core trains
    more images in all, but the best trial learns at half the pace, and each worker compiles each network anew: early in
    a search that costs more (docs/decisions/0010-one-worker-for-two-cores.md). With a GPU, one worker for each.
    """
    total = cores()
    if workers is None:
        by_memory = max(1, available_memory() // MEMORY_PER_WORKER)
        workers = gpus() or max(1, min(total // 2, by_memory))
    return Shares(workers=workers, threads=max(1, total // max(1, workers)))


def _container_quota() -> int | None:
    try:
        quota, period = _CGROUP_CPU.read_text().split()
        return max(1, int(quota) // int(period)) if quota != "max" else None
    except (OSError, ValueError):
        return None
