"""Real commands in real processes, on the bundled digits and networks of seconds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SPACE = """\
study: quick
data: {source: mnist-5k, train_limit: 600}
search:
  learning_rate: {float: [1e-3, 1e-2], log: true}
  head_width: {int: [32, 128], step: 32}
fixed: {architecture: LeNet5, batch_size: 100}
budget: {epochs: 4, trials: 6}
"""

ENDLESS = """\
study: quick
data: {source: mnist-5k, train_limit: 600}
search:
  learning_rate: {float: [1e-3, 1e-2], log: true}
  patience: {int: [1, 100000], log: true, default: 100000}
fixed: {architecture: LeNet5, batch_size: 100, head_width: 64}
budget: {epochs: 100000, trials: 2}
pruner: {name: none}
"""
"""Its first trial goes on until somebody ends it: what a test does to it comes too late on no machine."""

SHORT = "patience=1"
"""The point of `ENDLESS` that ends by itself, at its first epoch that is no better."""


# As in a terminal: what a shell starts in the background ignores Ctrl-C, and so do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Shell:
    """A user's shell in an empty folder, with one store."""

    folder: Path
    storage: str
    _started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, text: str, name: str = "quick.yaml") -> str:
        """Write a space file; returns its name."""
        (self.folder / name).write_text(text)
        return name

    def run(self, *arguments: str, timeout: float = 600, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and require its exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "search", *arguments],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """Run a listing and read what it prints."""
        return json.loads(self.run(*arguments, "--format", "json").stdout)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command in the background, as in another terminal; ended with the test."""
        log = (self.folder / f"background-{len(self._started)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "search", *arguments],
            cwd=self.folder, env={**self.environment(), **variables}, stdout=log, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        log.close()
        self._started.append(process)
        return process

    def log(self, number: int = 0) -> str:
        """What a background command has printed so far."""
        return (self.folder / f"background-{number}.log").read_text()

    def trials(self, study: str = "quick") -> dict[str, int]:
        """The study's trials by state."""
        [shown] = self.json("status", study)
        counts: dict[str, int] = shown["trials"]
        return counts

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Wait until something is so; the limit is for what will never be."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                pytest.fail(f"after {seconds} s still not: {what}\n" + "\n".join(self.logs()))
            time.sleep(0.1)

    def logs(self) -> list[str]:
        """The logs of all background commands."""
        return [self.log(number) for number in range(len(self._started))]

    def environment(self) -> dict[str, str]:
        """The environment of every command: the store is named there."""
        return {**os.environ, "HPSEARCH_STORAGE": self.storage, "HPSEARCH_FILES": str(self.folder / "hpsearch-files")}

    def close(self) -> None:
        """End what still runs: in order, because a `start` that is killed leaves its workers behind."""
        for process in self._started:
            process.terminate()
        for process in self._started:
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell with a SQLite store that does not exist yet."""
    opened = Shell(tmp_path, f"sqlite:///{tmp_path}/hpsearch.db")
    yield opened
    opened.close()


@pytest.fixture
def any_shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    """A shell on the kind of store that the test is parametrised with, by `request.param`."""
    url = f"sqlite:///{tmp_path}/hpsearch.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Shell(tmp_path, url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in whose store a whole search by two workers has just ended; not to be changed."""
    folder = tmp_path_factory.mktemp("searched")
    opened = Shell(folder, f"sqlite:///{folder}/hpsearch.db")
    opened.write(SPACE + "pruner: {name: asha, min_images: 200}\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HPSEARCH_")]:
            patch.delenv(name)
        done = opened.run("start", "--space", "quick.yaml", "--workers", "2")
    (folder / "start.txt").write_text(done.stderr)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shown(searched: Shell) -> list[dict[str, Any]]:
    """`hpsearch show` of each trial of that search."""
    return [searched.json("show", "quick", str(number)) for number in range(6)]
