from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "test", "benchmark")}
PIN = re.compile(r"^([a-z0-9][a-z0-9-]*)==([^\s;]+)(?: ; [^\\]+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def locked(text: str) -> dict[str, set[str]]:
    """Name and version of each requirement, with its hashes; ValueError names a line that is neither."""
    pins: dict[str, set[str]] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if pin := PIN.match(line):
            name = f"{pin[1]}=={pin[2]}"
            pins.setdefault(name, set())
        elif name and HASH.match(line):
            pins[name].add(line.strip().removesuffix(" \\"))
        else:
            raise ValueError(f"line {number} is neither a pin nor a hash: {line!r}")
    bare = [name for name, hashes in pins.items() if not hashes]
    if bare:
        raise ValueError(f"without a hash: {', '.join(bare)}")
    return pins


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def names(pins: dict[str, set[str]]) -> set[str]:
    return {name.partition("==")[0] for name in pins}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_pinned_and_hashed_and_names_no_host(name: str):
    assert len(locked(LOCKS[name].read_text())) > 50


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example.org/simple",
        "--find-links /somewhere",
        "numpy>=2.0 \\",
        "numpy==2.4.6",
        "numpy @ https://example.org/numpy.whl \\",
        "    --hash=md5:0123456789abcdef0123456789abcdef",
        "    # via pandas",
    ],
)
def test_lock_with_a_foreign_line_is_refused(line: str):
    with pytest.raises(ValueError, match="neither a pin nor a hash"):
        locked(line + "\n")


def test_lock_with_a_pin_but_no_hash_is_refused():
    with pytest.raises(ValueError, match=r"without a hash: numpy==2\.4\.6"):
        locked("numpy==2.4.6 \\\n")


@pytest.mark.parametrize(("small", "large"), [("run", "test"), ("test", "benchmark")])
def test_larger_lock_holds_the_smaller_one(small: str, large: str):
    fewer, more = locked(LOCKS[small].read_text()), locked(LOCKS[large].read_text())

    assert fewer.items() <= more.items()


@pytest.mark.parametrize(
    ("lock", "groups"), [("run", ["build"]), ("test", ["build", "test"]), ("benchmark", ["build", "test", "benchmark"])]
)
def test_lock_has_all_that_the_project_asks_for(lock: str, groups: list[str]):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = set(project["project"]["dependencies"])
    for group in groups:
        asked |= set(project["dependency-groups"][group])

    assert {normal(requirement) for requirement in asked} <= names(locked(LOCKS[lock].read_text()))


def test_run_lock_has_nothing_of_the_tests():
    assert not names(locked(LOCKS["run"].read_text())) & {"pytest", "ruff", "mypy", "playwright"}
