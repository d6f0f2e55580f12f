from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"
CI = ROOT / ".ci" / "run"


def start(secret: Path, passfile: Path | None) -> subprocess.CompletedProcess[str]:
    """Run `hpsearch --help` through the image's entry point."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "HPSEARCH_PASSWORD_FILE": str(secret),
    }
    if passfile:
        environment["PGPASSFILE"] = str(passfile)
    return subprocess.run(
        ["/bin/sh", str(ENTRYPOINT), "--help"], env=environment, capture_output=True, text=True, check=False
    )


def password_in(passfile: Path) -> str:
    """Read a password file as libpq does: the last of five fields, a backslash escapes the next character."""
    fields = passfile.read_text().rstrip("\n").split(":", maxsplit=4)
    assert fields[:4] == ["*"] * 4
    return re.sub(r"\\(.)", r"\1", fields[4])


@pytest.mark.parametrize("password", ["plain", "p{a}%40@:/", r"back\slash:colon\\", "spaces and 'quotes\" $HOME `id`"])
def test_entry_point_writes_the_password_file(tmp_path: Path, password: str):
    secret, passfile = tmp_path / "secret", tmp_path / "pgpass"
    secret.write_text(password + "\n")

    done = start(secret, passfile)

    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert password_in(passfile) == password
    assert passfile.stat().st_mode & 0o777 == 0o600
    assert password not in done.stdout + done.stderr


def test_entry_point_without_a_secret_just_starts(tmp_path: Path):
    done = start(tmp_path / "none", tmp_path / "pgpass")

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "pgpass").exists()


def test_entry_point_with_an_empty_secret_says_so(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.touch()

    done = start(secret, tmp_path / "pgpass")

    assert done.returncode == 1
    assert "must be readable" in done.stderr


@pytest.mark.parametrize("script", [CI, ENTRYPOINT])
def test_script_parses_and_is_executable(script: Path):
    shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"

    subprocess.run([shell, "-n", str(script)], check=True)

    assert os.access(script, os.X_OK)


def targets() -> list[str]:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    return phony[1].split()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lists_every_target():
    done = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True)

    assert [target for target in targets() if f"make {target} " not in done.stdout] == []


@pytest.mark.parametrize("target", sorted(set(targets()) - {"help"}))
def test_contributing_explains_the_target(target: str):
    assert f"make {target}" in (ROOT / "CONTRIBUTING.md").read_text()
