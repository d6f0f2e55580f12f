"""One leg: a contestant's process is started, left alone, killed at its time, and its winner is measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from racing import watch
from racing.board import BEST, SCORES, read_scores
from racing.legs import Leg, Result, Score, Winner
from racing.peer import Task

N_CORES = 2
LOOK_SECONDS = 0.2
_LAST_LINES = 20  # of what a command has said before it failed
EPOCHS = {"optuna": 27, "keras-tuner": 9}
"""What Hyperband's brackets follow from: see the README."""
_OF_HPSEARCH = {"batch_norm", "weight_average"}
"""What is done to a network's scores, not to its training: no peer has it."""
_HPSEARCH = [sys.executable, "-m", "search"]
_VERSIONS = ("hpsearch", "tensorflow", "keras", "optuna", "optuna-integration", "keras-tuner")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is the same for all legs."""

    space: str
    """A space file, or the name of one that ships with hpsearch."""
    data: str
    """Source of the images, as in a space file."""
    folder: Path
    """Where the contestants work; a leg's folder stays."""
    epochs: int | None = None
    """Of the peers' Hyperband; None for `EPOCHS`."""


def run(leg: Leg, terms: Terms) -> Result:
    """Run a leg from cold; its folder is made anew."""
    folder = (terms.folder / leg.key).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:N_CORES])
    before = _circumstances(leg, terms)
    begun = time.time()
    contestant = _Contestant(leg, terms, folder, begun)
    ended = contestant.run()
    scores = contestant.scores()
    if not scores and ended["ended"] != "killed":
        # A contestant that runs out of memory halfway keeps what it has; one that never ran is a mistake of ours.
        raise SystemExit(f"{leg.key} ended {ended['ended']} before its first score; see {folder / 'output.log'}")
    return Result(
        leg=leg, scores=scores, winner=contestant.winner() if scores else None, circumstances={**before, **ended}
    )


class _Contestant:
    """A contestant's process, and what it leaves in its folder."""

    def __init__(self, leg: Leg, terms: Terms, folder: Path, begun: float) -> None:
        self._leg, self._terms, self._folder, self._begun = leg, terms, folder, begun
        self._watch = watch.Watch(folder / "hpsearch-files" / "logs", folder / watch.LINES, begun)
        self._is_ours = leg.contestant == "hpsearch"

    def run(self) -> dict[str, Any]:
        """Until it ends by itself, or its time is over; says how it ended."""
        end = self._begun + 60 * self._leg.minutes
        with (self._folder / "output.log").open("wb") as output:
            process = psutil.Popen(
                self._command(), cwd=self._folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=output,
                stderr=output,
            )  # fmt: skip
            try:
                while process.poll() is None and time.time() < end:
                    time.sleep(LOOK_SECONDS)
                    self._watch.look()
                self._watch.look()  # its last words
                status, seconds = process.poll(), round(time.time() - self._begun, 1)
            finally:
                _kill(process)
        return {"seconds": seconds, "ended": "killed" if status is None else f"by itself, with status {status}"}

    def scores(self) -> tuple[Score, ...]:
        """All that it had within its time."""
        if not self._is_ours:
            return read_scores(self._folder / SCORES)
        from storage.store import open_store

        with open_store(self._storage, self._folder / "hpsearch-files") as store:
            return watch.scores(self._watch.lines, watch.curves(store))

    def winner(self) -> Winner:
        """Measure its best trial."""
        return self._our_winner() if self._is_ours else self._peers_winner()

    @property
    def _storage(self) -> str:
        return f"sqlite:///{self._folder}/hpsearch.db"

    def _command(self) -> list[str]:
        if self._is_ours:
            options = ["--space", self._terms.space, "--study", watch.STUDY, "--data", self._terms.data]
            limits = ["--timeout", f"{60 * self._leg.minutes:.0f}s", "--workers", "auto"]
            return [*_HPSEARCH, "start", *options, *limits, "--seed", str(self._leg.seed)]
        task = Task(
            contestant=self._leg.contestant, seed=self._leg.seed, space=self._terms.space,
            data=self._terms.data, epochs=_epochs(self._leg, self._terms) or 1, threads=N_CORES,
            folder=str(self._folder), begun=self._begun,
        )  # fmt: skip
        return [sys.executable, "-m", "racing.peer", task.to_json()]

    def _our_winner(self) -> Winner:
        self._asked([*_HPSEARCH, "export", watch.STUDY, "-o", "winner"])
        report = self._asked([*_HPSEARCH, "evaluate", "winner", "--split", "test"])
        best = json.loads((self._folder / "winner" / "model.json").read_text())
        return Winner(params=best["params"], value=best["value"], test_accuracy=report["accuracy"], n_test=report["n"])

    def _peers_winner(self) -> Winner:
        arguments = [str(self._folder), self._terms.data, str(N_CORES)]
        report = self._asked([sys.executable, "-m", "racing.measure", *arguments])
        best = json.loads((self._folder / BEST).read_text())
        params = {name: value for name, value in best["hyperparameters"].items() if name not in _OF_HPSEARCH}
        return Winner(params=params, value=best["value"], test_accuracy=report["accuracy"], n_test=report["n"])

    def _asked(self, command: list[str]) -> dict[str, Any]:
        """What a command prints, as JSON; an empty mapping where it prints nothing."""
        with (self._folder / "measuring.log").open("ab") as log:
            done = subprocess.run(
                command, cwd=self._folder, env=_environment(), stdout=subprocess.PIPE, stderr=log, check=False
            )
        if done.returncode:
            said = Path(log.name).read_text(errors="replace").splitlines()[-_LAST_LINES:]
            raise SystemExit("\n".join([f"{' '.join(command)} ended with status {done.returncode}:", *said]))
        return dict(json.loads(done.stdout)) if done.stdout.strip() else {}


def _environment() -> dict[str, str]:
    """As here, without settings of hpsearch; the race's own modules can be imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HPSEARCH_")}
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    fixed = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": os.pathsep.join(paths)}
    return {**kept, **fixed}


def _kill(process: psutil.Popen) -> None:
    """End a process and all that it has started, workers with groups of their own among them."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for one in family:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family)


def _epochs(leg: Leg, terms: Terms) -> int | None:
    """Most epochs of a peer's trial; hpsearch has those of the space file."""
    return terms.epochs or EPOCHS.get(leg.contestant.removesuffix("-honest"))


def _circumstances(leg: Leg, terms: Terms) -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "epochs": None if leg.contestant == "hpsearch" else _epochs(leg, terms),
        "versions": {name: version(name) for name in _VERSIONS},
    }
