"""What a container may take of its machine, read from trees like those of Linux."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeAlias

import psutil
import pytest

from search import cgroups, checkup, machine

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 2**30
V1_NONE = 2**63 - 4096
"""What version 1 says where there is no limit."""
MOUNT = "31 23 0:28 {root} /sys/fs/cgroup/{name} rw,relatime shared:9 - {kind} cgroup rw,{name}\n"
V2_MOUNT = "31 23 0:28 {root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

Tree: TypeAlias = "Callable[..., Path]"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Writes files below a made-up root, `/proc/self` in short; everything is read from there."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)

    def write(own: str, mounts: str, files: dict[str, object]) -> Path:
        proc = {"proc/self/cgroup": own, "proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/vda rw\n" + mounts}
        for name, content in {**proc, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{content}")
        return tmp_path

    return write


def v1(name: str, root: str = "/") -> str:
    return MOUNT.format(name=name, root=root, kind="cgroup")


def v2(root: str = "/") -> str:
    return V2_MOUNT.format(root=root)


def test_limit_of_a_container_of_version_2_in_a_namespace_of_its_own(tree: Tree) -> None:
    tree("0::/\n", v2(), {"memory.max": f"{3 * GIB}\n", "memory.current": GIB, "cpu.max": "150000 100000\n"})

    assert cgroups.memory_limit() == 3 * GIB
    assert cgroups.free_memory() == 2 * GIB
    assert cgroups.cpu_quota() == 1.5


@pytest.mark.parametrize(("inner", "outer", "limit"), [("max", 2 * GIB, 2), (GIB, 2 * GIB, 1), (4 * GIB, 2 * GIB, 2)])
def test_smallest_limit_of_all_groups_above_counts(tree: Tree, inner: object, outer: int, limit: int) -> None:
    files = {
        "job.slice/memory.max": outer, "job.slice/step/memory.max": inner, "job.slice/step/task/memory.max": "max",
        "job.slice/cpu.max": "400000 100000", "job.slice/step/cpu.max": "max 100000",
    }  # fmt: skip
    tree("0::/job.slice/step/task\n", v2(), files)

    assert cgroups.memory_limit() == limit * GIB
    assert cgroups.cpu_quota() == 4


def test_limit_that_throttles_counts_like_one_that_kills(tree: Tree) -> None:
    tree("0::/a.service\n", v2(), {"a.service/memory.high": 2 * GIB, "a.service/memory.max": 3 * GIB})

    assert cgroups.memory_limit() == 2 * GIB


def test_limit_of_version_1_by_its_controllers(tree: Tree) -> None:
    files = {
        "memory/memory.limit_in_bytes": V1_NONE, "memory/box/memory.limit_in_bytes": 3 * GIB,
        "memory/box/memory.usage_in_bytes": 2 * GIB,
        "memory/box/memory.stat": f"cache 5\ntotal_inactive_file {GIB // 2}\ntotal_active_file {GIB // 2}\n",
        "cpu,cpuacct/box/cpu.cfs_quota_us": 200000, "cpu,cpuacct/box/cpu.cfs_period_us": 100000,
        "cpu,cpuacct/cpu.cfs_quota_us": -1, "cpu,cpuacct/cpu.cfs_period_us": 100000,
    }  # fmt: skip
    tree("9:cpu,cpuacct:/box\n4:memory:/box\n1:name=systemd:/other\n", v1("memory") + v1("cpu,cpuacct"), files)

    assert cgroups.memory_limit() == 3 * GIB
    assert cgroups.free_memory() == 2 * GIB
    assert cgroups.cpu_quota() == 2


def test_group_that_is_mounted_as_a_containers_root(tree: Tree) -> None:
    # Without a namespace: the group's name is the host's, and only its own folder is mounted.
    tree("4:memory:/docker/ab\n", v1("memory", "/docker/ab"), {"memory/memory.limit_in_bytes": GIB})

    assert cgroups.memory_limit() == GIB


def test_group_beside_what_is_mounted_falls_back_to_the_mount(tree: Tree) -> None:
    for own in ("/docker/ab", "/../other", "/docker/abc"):
        tree(f"0::{own}\n", v2("/docker/ab/init"), {"memory.max": GIB})
        assert cgroups.memory_limit() == GIB


def test_limit_above_what_is_mounted_is_told_by_version_1(tree: Tree) -> None:
    stat = f"hierarchical_memory_limit {GIB}\nhierarchical_memsw_limit {V1_NONE}\n"
    tree("4:memory:/\n", v1("memory"), {"memory/memory.limit_in_bytes": V1_NONE, "memory/memory.stat": stat})

    assert cgroups.memory_limit() == GIB


def test_both_versions_side_by_side(tree: Tree) -> None:
    mounts = v1("memory") + v1("cpu") + V2_MOUNT.format(root="/").replace("cgroup rw", "cgroup/unified rw", 1)
    files = {
        "memory/box/memory.limit_in_bytes": GIB, "memory/box/memory.oom_control": "under_oom 0\noom_kill 2\n",
        "unified/box/cgroup.procs": "1\n", "cpu/cpu.cfs_quota_us": -1, "cpu/cpu.cfs_period_us": 100000,
    }  # fmt: skip
    tree("4:memory:/box\n1:cpu:/\n0::/box\n", mounts, files)

    assert (cgroups.memory_limit(), cgroups.cpu_quota(), cgroups.oom_kills()) == (GIB, None, 2)


def test_folder_with_a_space_in_its_name(tree: Tree) -> None:
    root = tree("0::/\n", v2().replace("/sys/fs/cgroup", r"/sys/fs/my\040groups"), {})
    (root / "sys/fs/my groups").mkdir(parents=True)
    (root / "sys/fs/my groups/memory.max").write_text(str(GIB))

    assert cgroups.memory_limit() == GIB


def test_kills_are_counted_in_the_own_group_else_by_the_machine(tree: Tree) -> None:
    root = tree(
        "0::/a/b\n", v2(), {"a/memory.events": "oom_kill 7\n", "a/b/memory.events": "max 3\noom 1\noom_kill 1\n"}
    )
    (root / "proc/vmstat").write_text("nr_free_pages 5\noom_kill 9\n")
    assert cgroups.oom_kills() == 1

    (root / "sys/fs/cgroup/a/b/memory.events").unlink()

    assert cgroups.oom_kills() == 9


NONSENSE = "\n:\n1:memory\n0\n4:memory:\n"


@pytest.mark.parametrize(
    ("own", "mounts", "files"),
    [
        ("", "", {}),
        (NONSENSE, "31 23 -\n - cgroup2\n" + v1("memory"), {"memory/memory.limit_in_bytes": "plenty"}),
        ("0::/gone\n", v2(), {"memory.max": "max", "cpu.max": "max 100000", "memory.events": "oom_kill x\n"}),
        ("0::/\n", v2(), {"memory.max": "", "cpu.max": "", "memory.current": "²"}),
        ("0::/\n", v2(), {"memory.max/is-a-folder": "", "cpu.max": "100000", "memory.high": "-5x"}),
        ("0::/\n", v2(), {"cpu.max": "100000 0", "memory.max": "\x00"}),
    ],
)
def test_what_cannot_be_read_limits_nothing(tree: Tree, own: str, mounts: str, files: dict[str, object]) -> None:
    tree(own, mounts, files)

    assert cgroups.memory_limit() is None
    assert cgroups.free_memory() is None
    assert cgroups.cpu_quota() is None
    assert cgroups.oom_kills() is None


def test_system_without_control_groups_limits_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path / "nothing")

    assert (cgroups.memory_limit(), cgroups.cpu_quota(), cgroups.oom_kills()) == (None, None, None)


@pytest.fixture
def of_24(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 24 GiB and four cores, of which 20 GiB are available."""
    seen = SimpleNamespace(total=24 * GIB, available=20 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: seen)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 4)


@pytest.mark.parametrize(("quota", "cores"), [("50000", 1), ("100000", 1), ("150000", 1), ("300000", 3), ("800000", 4)])
@pytest.mark.usefixtures("of_24")
def test_quota_counts_in_whole_cores(tree: Tree, quota: str, cores: int) -> None:
    tree("0::/\n", v2(), {"cpu.max": f"{quota} 100000"})

    assert machine.cores() == cores
    assert machine.shares(1).threads == cores


@pytest.mark.usefixtures("of_24")
def test_container_shares_out_what_it_may_take(tree: Tree) -> None:
    tree("0::/\n", v2(), {"memory.max": 3 * GIB, "memory.current": 2 * GIB, "cpu.max": "150000 100000"})

    assert machine.memory_share(1) == int(0.9 * 3 * GIB)
    assert machine.available_memory() == GIB
    assert checkup._memory() == "3.0 GiB (this container's limit; the machine has 24.0), 1.0 GiB available"
    assert checkup._cores() == "1 (this container's quota is 1.5; the machine has 4)"


@pytest.mark.usefixtures("of_24")
def test_limit_larger_than_the_machine_is_none(tree: Tree) -> None:
    tree("0::/\n", v2(), {"memory.max": 64 * GIB, "memory.current": GIB, "cpu.max": "800000 100000"})

    assert machine.memory() == machine.Memory(total=24 * GIB, installed=24 * GIB)
    assert machine.available_memory() == 20 * GIB
    assert checkup._memory() == "24.0 GiB, 20.0 GiB available"
    assert checkup._cores() == "4"


@pytest.mark.usefixtures("of_24")
def test_cores_that_others_have_are_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree("", "", {})
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {2})

    assert checkup._cores() == "1 (that this process may use; the machine has 4)"
