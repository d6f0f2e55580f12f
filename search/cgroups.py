"""The control groups of this process: what its container, service or batch job may take of the machine.

Both versions of Linux' control groups, also mounted side by side. A limit holds for all groups below it, so the
smallest one on the way from this process' group to the root of the mount counts. What cannot be read limits nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
"""Where `proc` and the mounted control groups are looked for."""
_MEMORY_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
_MEMORY_USES = ("memory.current", "memory.usage_in_bytes")
_FILE_CACHE = ("inactive_file", "active_file")


@dataclass(frozen=True)
class _Mount:
    """One mounted hierarchy of control groups."""

    root: str
    """The group that is mounted; `/` for all of them."""
    folder: Path
    controllers: frozenset[str]
    """Of version 1; empty for version 2, which has one hierarchy for all."""


def memory_limit() -> int | None:
    """Bytes of memory that the tightest limit allows; None without a limit.

    It may be more than the machine has.
    """
    limits = [_memory_limit(group) for groups in _hierarchies("memory") for group in groups]
    return min((limit for limit in limits if limit is not None), default=None)


def free_memory() -> int | None:
    """Bytes of memory that can still be had below every limit; None without a limit. Cached files count as free."""
    groups = [group for groups in _hierarchies("memory") for group in groups]
    free = [limit - _used(group) for group in groups if (limit := _memory_limit(group)) is not None]
    return max(0, min(free)) if free else None


def cpu_quota() -> float | None:
    """Cores whose time the tightest quota allows, such as 1.5; None without a quota."""
    quotas = [_cpu_quota(group) for groups in _hierarchies("cpu") for group in groups]
    return min((quota for quota in quotas if quota is not None), default=None)


def oom_kills() -> int | None:
    """Processes that the kernel has killed so far because memory ran out; None where it does not tell.

    Those of this process' group; where that has no counter, those of the whole machine.
    """
    for own, *_ in _hierarchies("memory"):
        for name in ("memory.events", "memory.oom_control"):
            if (count := _table(own / name).get("oom_kill")) is not None:
                return count
    return _table(ROOT / "proc/vmstat").get("oom_kill")


def _memory_limit(group: Path) -> int | None:
    limits = [_number(group / name) for name in _MEMORY_LIMITS]
    # Of version 1: it covers groups above the mount, too, which a container does not see.
    limits.append(_table(group / "memory.stat").get("hierarchical_memory_limit"))
    return min((limit for limit in limits if limit is not None), default=None)


def _used(group: Path) -> int:
    """Bytes that could not be taken back by dropping cached files."""
    used = next((value for name in _MEMORY_USES if (value := _number(group / name)) is not None), 0)
    table = _table(group / "memory.stat")
    # In version 1 the names without `total_` leave out the groups below.
    return used - sum(table.get(f"total_{name}", table.get(name, 0)) for name in _FILE_CACHE)


def _cpu_quota(group: Path) -> float | None:
    quota, period = (*_numbers(group / "cpu.max"), None, None)[:2]
    if period is None:
        quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None  # -1: no quota


def _hierarchies(controller: str) -> list[list[Path]]:
    """Groups that may limit `controller` for this process, its own first: a list for each hierarchy."""
    own = _own_groups()
    found = []
    for mount in _mounts():
        name = own.get(controller if mount.controllers else "")
        if name is not None and (not mount.controllers or controller in mount.controllers):
            found.append(_upwards(mount, name))
    return found


def _own_groups() -> dict[str, str]:
    """The name of this process' group by controller; that of version 2 by the empty string."""
    found = {}
    for line in _lines(ROOT / "proc/self/cgroup"):
        _, controllers, name = (*line.split(":", 2), "", "")[:3]
        found.update(dict.fromkeys(controllers.split(","), name))
    return found


def _mounts() -> list[_Mount]:
    found = []
    for line in _lines(ROOT / "proc/self/mountinfo"):
        # ID PARENT MAJOR:MINOR ROOT FOLDER OPTIONS … - TYPE SOURCE OPTIONS-OF-THE-FILE-SYSTEM
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or not kinds or kinds[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = frozenset(kinds[-1].split(",")) if kinds[0] == "cgroup" else frozenset()
        folder = ROOT / _unescaped(fields[4]).lstrip("/")
        found.append(_Mount(root=_unescaped(fields[3]), folder=folder, controllers=controllers))
    return found


def _upwards(mount: _Mount, name: str) -> list[Path]:
    """The folders of group `name` and of all groups above it that are mounted."""
    # In a namespace of its own a container's group is `/`, whatever was mounted; `..` is beyond it.
    is_below = name == mount.root or name.startswith(mount.root.rstrip("/") + "/")
    below = name[len(mount.root.rstrip("/")) :].strip("/") if is_below else ""
    parts = [part for part in below.split("/") if part]
    if ".." in parts:
        parts = []
    return [mount.folder.joinpath(*parts[:n]) for n in range(len(parts), -1, -1)]


def _unescaped(text: str) -> str:
    """A path as mountinfo writes it, with a space as `\\040`."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _number(path: Path) -> int | None:
    """The number in a file; None where there is none, such as `max`."""
    return next(iter(_numbers(path)), None)


def _numbers(path: Path) -> list[int | None]:
    words = [word for line in _lines(path) for word in line.split()]
    return [int(word) if word.removeprefix("-").isdecimal() else None for word in words]


def _table(path: Path) -> dict[str, int]:
    """A file of lines with a name and a number each."""
    words = (line.split() for line in _lines(path))
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdecimal()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
