"""Which machine uses a SQLite file: its locks, and its write-ahead log, hold among the processes of one kernel."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""A kernel's own name, new with each start: the same in all containers on it; see random(4)."""


def user_elsewhere(file: Path) -> bool:
    """Whether another kernel than this one was the last to use what `file` belongs to; False where nobody can tell."""
    mine = _read(BOOT)
    return bool(mine) and _read(file) not in ("", mine)


def use_here(file: Path) -> None:
    """Note that this one uses it, where it can be noted."""
    if (mine := _read(BOOT)) and _read(file) != mine:
        with suppress(OSError):
            file.parent.mkdir(exist_ok=True)
            file.write_text(mine)


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
