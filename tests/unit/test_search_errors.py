from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("keras", "tensorflow", "optuna", "sqlalchemy")

WATCHER = """
import sys
from search.main import run
status = run({arguments!r})
found = [name for name in {heavy!r} if name in sys.modules]
sys.exit(f"imported {{found}}" if found else status)
"""


def run_watched(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one command in a fresh interpreter that complains when something heavy was imported."""
    code = WATCHER.format(arguments=arguments, heavy=HEAVY)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["start", "--help"], ["worker", "--help"], ["status", "--help"], ["space", "check", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    done = run_watched(arguments, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: hpsearch" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search"], "No such command 'search'"),
        (["start"], "Missing option '--space'"),
        (["start", "--space", "nowhere"], "nowhere"),
        (["start", "--space", "head_shrink", "--timeout", "soon"], "--timeout: must be a number and s, m, h or d"),
        (["start", "--space", "head_shrink", "--workers", "many"], "must be a whole number or `auto`"),
        (["start", "--space", "bad.yaml"], "serach"),
        (["start", "--space", "quick", "--data", "foo"], "hpsearch: --data: must be a data source, but got 'foo'; "),
        (["start", "--space", "quick", "--data", "a: b"], "hpsearch: --data: must be a data source, but got 'a: b'; "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_two(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("study: x\nserach: {}\n")

    done = run_watched(arguments, tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml"]  # nothing was written


@pytest.mark.parametrize("arguments", [["statsu"], ["space", "chekc"]], ids=" ".join)
def test_misspelt_command_is_guessed_once(arguments: list[str], tmp_path: Path) -> None:
    done = run_watched(arguments, tmp_path)

    assert done.returncode == 2
    assert done.stderr.casefold().count("did you mean") == 1


def test_shipped_spaces_are_listed_without_anything_heavy(tmp_path: Path) -> None:
    done = run_watched(["space", "list"], tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    [quick] = [line for line in done.stdout.splitlines() if line.startswith("quick ")]
    assert "A first search: LeNet-5 on 5,000 digits" in quick
    assert "learning_rate, batch_size, dropout" in quick
    assert not any(line.endswith(" ") for line in done.stdout.splitlines())
