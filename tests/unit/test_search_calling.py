"""Commands are told as they can be typed here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from search.calling import as_called, program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program of an environment in the current folder, called by its path."""
    file = tmp_path / ".venv" / "bin" / "hpsearch"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", [".venv/bin/hpsearch", "status"])
    return file


def test_program_that_no_path_finds_is_told_by_its_own(called: Path) -> None:
    assert program() == ".venv/bin/hpsearch"


def test_program_that_the_path_finds_is_told_by_name(called: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(called.parent))

    assert program() == "hpsearch"


def test_another_program_on_the_path_is_not_meant(
    called: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "hpsearch").write_text("#!/bin/sh\n")
    (other / "hpsearch").chmod(0o755)
    monkeypatch.setenv("PATH", str(other))

    assert program() == ".venv/bin/hpsearch"


def test_program_elsewhere_is_told_whole(called: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my images").mkdir()
    monkeypatch.setattr(sys, "argv", [str(called)])
    monkeypatch.chdir(tmp_path / "my images")

    assert program() == str(called)


def test_program_in_the_current_folder_is_told_with_it(called: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(called.parent)
    monkeypatch.setattr(sys, "argv", ["./hpsearch"])

    assert program() == "./hpsearch"


def test_module_is_told_with_its_python(called: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/search/__main__.py"])
    monkeypatch.setattr(sys, "executable", str(called.with_name("python")))

    assert program() == ".venv/bin/python -m search"


def test_unknown_caller_is_told_the_name(called: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["-c"])

    assert program() == "hpsearch"


def test_commands_of_a_message_are_told_as_called(called: Path) -> None:
    message = "there is none yet: `hpsearch start` creates one, hpsearch: no command; this hpsearch is another"

    assert as_called(message) == message.replace("`hpsearch start`", "`.venv/bin/hpsearch start`")
    assert as_called("hpsearch data fetch x") == ".venv/bin/hpsearch data fetch x"
