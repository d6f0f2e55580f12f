"""Which kind of file system a file lies on: SQLite's locks hold on one machine's own disks only."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""What Linux has mounted where; see proc_pid_mountinfo(5)."""

# Some of them do lock, for some servers, versions and options: nothing that one could look at tells which.
_SHARED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "fuse"}
)
_LOCAL = frozenset({"fuse.fuse-overlayfs"})  # a container's own disk


def shared_kind(path: Path) -> str | None:
    """The kind of network or user-space file system that a file is on, or will be; None for a disk of this machine.

    None, too, where the system does not tell.
    """
    kind = _kind(path.resolve())
    return kind if kind not in _LOCAL and kind.partition(".")[0] in _SHARED else None


def _kind(path: Path) -> str:
    try:
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    found = {}
    for line in lines:
        mount, _, source = line.partition(" - ")
        found[Path(_unescaped(mount.split()[4]))] = source.split()[0]  # a later mount hides an earlier one
    return next((found[folder] for folder in (path, *path.parents) if folder in found), "")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
