"""Real worker processes on one study, and the questions that are asked when the dust has settled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from fake_trainer import COMPUTED, DATA, EPOCH_SECONDS, value_of

from search.study import Study, create
from search.view.late import late_to_list
from spaces.reader import read_space_text
from storage.failpoints import VARIABLE
from storage.held_trials import held_trials

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.store import Store

LEASE = 3.0  # seconds
SPACE = """\
study: chaos
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-4, 1e-2], log: true}
  head_width: {int: [64, 512], step: 64}
fixed: {architecture: LeNet5}
budget: {epochs: EPOCHS, trials: TRIALS}
sampler: {name: random}
pruner: {name: none}
"""


@dataclass
class Arena:
    """A study in a store, and the workers that are let loose on it."""

    store: Store
    folder: Path
    study: Study
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def opened(cls, store: Store, folder: Path, trials: int = 1, epochs: int = 5) -> Arena:
        text = SPACE.replace("TRIALS", str(trials)).replace("EPOCHS", str(epochs))
        return cls(store, folder, create(store, "chaos", read_space_text(text), DATA, seed=0))

    def worker(self, failpoint: str = "", seconds: float = 0.02, url: str = "", **more: str) -> subprocess.Popen[bytes]:
        """Start a worker; `failpoint` as the variable has it, `seconds` for an epoch."""
        environment = {**os.environ, EPOCH_SECONDS: str(seconds), COMPUTED: str(self.computed), **more}
        if failpoint:
            environment[VARIABLE] = failpoint
        command = [
            sys.executable, str(Path(__file__).with_name("fake_worker.py")), url or self.store.url.full,
            str(self.store.files.root), str(LEASE), "chaos",
        ]  # fmt: skip
        with self.log_file(len(self.workers)).open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.workers.append(process)
        return process

    @property
    def computed(self) -> Path:
        """Where trainers note what they have computed."""
        return self.folder / "computed.jsonl"

    def log_file(self, number: int) -> Path:
        return self.folder / f"worker-{number}.log"

    def log(self, number: int) -> str:
        return self.log_file(number).read_text()

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = 120) -> None:
        """Wait until something is so; the limit is for what will never be."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                pytest.fail(f"after {seconds} s still not: {what}\n{self.story()}")
            time.sleep(0.02)

    def ended(self, number: int, status: int = 0) -> None:
        """Wait for a worker's end."""
        try:
            found = self.workers[number].wait(timeout=120)
        except subprocess.TimeoutExpired:
            pytest.fail(f"worker {number} does not end\n{self.story()}")
        assert found == status, self.story()

    def story(self) -> str:
        """Everything that the workers have said."""
        return "\n".join(f"--- {number}\n{self.log(number)}" for number in range(len(self.workers)))

    def trial(self, number: int = 0) -> Any:
        return self.study.trials()[number]

    def epochs(self, number: int = 0) -> int:
        trials = self.study.trials()
        return len(trials[number].curve) if number < len(trials) else 0

    def progress(self) -> str:
        """What the first worker says that its trial is doing; empty before the trainer has said that it began."""
        return next((row.progress for row in self.store.ledger.workers(within=60) if row.trial is not None), "")

    def close(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait()

    def check_shown(self) -> None:
        """At any moment: Optuna's tables show a trial that waits as complete or waiting, a held one as running."""
        with self.store.engine.connect() as connection:
            rows = connection.execute(held_trials(self.study.id)).all()
        for row in rows:
            if row.held_state in ("paused", "released"):
                assert row.state.name == ("WAITING" if row.held_value is None else "COMPLETE"), row
            elif row.held_state == "running":
                assert row.state.name == "RUNNING", row

    def check(self, accepted: int) -> None:
        """The oracle: nothing is lost, nothing is doubled (I1 to I6), and Optuna's tables say the same."""
        self.check_shown()
        trials, late = self.study.trials(), late_to_list(self.study)
        assert [trial.number for trial in trials] == list(range(len(trials)))
        good = [trial for trial in trials if trial.is_accepted]
        points = Counter(tuple(sorted(trial.params.items())) for trial in good)
        assert len(good) == accepted, self.story()
        assert set(points.values()) <= {1}
        assert all(trial.is_accepted or (trial.outcome and trial.outcome.reason) for trial in trials), trials
        assert {holding.state for holding in self.store.ledger.holdings("chaos")} <= {"ended"}
        lines = self.computed.read_text().splitlines() if self.computed.exists() else []
        for line in map(json.loads, lines):
            stands = {trials[line["trial"]].value, *(e["value"] for e in late if e["trial"] == line["trial"])}
            assert line["value"] in stands, (line, stands)
        for trial in good:
            assert [entry["epoch"] for entry in trial.curve] == list(range(1, len(trial.curve) + 1))
            assert all(entry["val_accuracy"] == value_of(trial.params, int(entry["epoch"])) for entry in trial.curve)
            frozen = self.store.optuna.get_trial(self.study.trial_id(trial.number))
            assert frozen.intermediate_values == {int(entry["images"]): entry["val_accuracy"] for entry in trial.curve}
            assert trial.value == max(entry["val_accuracy"] for entry in trial.curve)
        if good:
            best = self.study.best()
            assert best is not None
            assert best.value == max(trial.value for trial in good)
            shown = self.study.optuna.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
            assert {trial.number: trial.value for trial in shown} == {trial.number: trial.value for trial in good}
            assert self.study.optuna.best_value == best.value
        assert not list(self.store.files.root.glob("spool/*/*.json"))
