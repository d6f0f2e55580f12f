"""What this machine has, and how workers share it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

MEMORY_PER_WORKER = 3 * 2**30  # bytes: TensorFlow, the data and a VGG16 with its optimizer
DISK_FLOOR = 2**30
"""Bytes of free disk below which a worker takes no trial: two checkpoints of forty million weights under Adam."""
GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"
"""Names the graphics processors that a process sees; TensorFlow takes the first of them."""
_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")
_DEVICES = Path("/dev")


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


def _container_quota() -> int | None:
    try:
        quota, period = _CGROUP_CPU.read_text().split()
        return max(1, int(quota) // int(period)) if quota != "max" else None
    except (OSError, ValueError):
        return None
