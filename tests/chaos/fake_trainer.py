"""A trainer that only pretends, so that a test can afford many workers: epochs of milliseconds, values of a formula."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import weakref
from pathlib import Path
from typing import Any

from search.training.files import write_json
from search.training.messages import (
    DataLoaded,
    EpochEnded,
    Failed,
    Interrupt,
    LoadData,
    Seconds,
    Train,
    TrialEnded,
    TrialStarted,
    Verdict,
)

DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=list("0123456789"),
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip
EPOCH_SECONDS = "CHAOS_EPOCH_SECONDS"
COMPUTED = "CHAOS_COMPUTED"
"""File to which each value that was computed is added, a line each."""
BROKEN = "CHAOS_BROKEN"
"""Set where every training is to fail at once; the value is the message, `#` in it the trial's number."""
STOPS_IN = "CHAOS_STOPS_IN"
"""The epoch in which the process suspends itself in the middle of writing a checkpoint."""
DIVERGES = "CHAOS_DIVERGES"
"""The number of a trial that is better than any other for two epochs, and diverges in the third."""

DEAF = "CHAOS_DEAF"
"""Set where the process is to be asked twice to end in a place where Python drops what a signal's handler raises."""


def value_of(params: dict[str, Any], epoch: int) -> float:
    """The objective after that epoch: grows with the epoch, and is another one for each point."""
    point = (params["learning_rate"] * 1000 + params["head_width"] / 512) % 1
    return round(0.4 + 0.4 * point + 0.2 * epoch / (epoch + 3), 12)


def write_checkpoint(file: Path, curve: list[dict[str, float]]) -> None:
    """Written aside and put in place, as a trainer does; without a place it is not written, and the trial goes on."""
    if os.environ.get(STOPS_IN) == str(len(curve)):
        half = file.with_suffix(".part")
        half.write_text("half")
        os.kill(os.getpid(), signal.SIGSTOP)
        half.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        write_json(file, curve)


def ask_twice_while_deaf() -> None:
    """Ask this process to end, and to leave at once, within a callback of a weak reference."""

    def callback(_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGQUIT):
            os.kill(os.getpid(), number)

    watched = FakeTrainer()
    reference = weakref.ref(watched, callback)
    del watched
    assert reference() is None


class FakeTrainer:
    """Answers as a trainer does. The checkpoint is one small file in the trial's folder."""

    pid = 0
    memory_share = 2**30

    def __init__(self) -> None:
        self._command: Train | None = None
        self._curve: list[dict[str, float]] = []
        self._events: list[Any] = []
        self._is_asked = False

    def request(self, command: LoadData | None, timeout: float, is_unwanted: Any) -> DataLoaded:
        return DATA

    def send(self, command: Any) -> None:
        if isinstance(command, Train):
            self._begin(command)
        elif isinstance(command, Interrupt):
            self._end("paused" if command.action == "pause" else "stopped")
        elif isinstance(command, Verdict):
            self._is_asked = False
            if command.action != "continue":
                self._end("paused" if command.action == "pause" else "stopped")

    def receive(self, timeout: float) -> Any:
        if self._events:
            return self._events.pop(0)
        if self._command is None or self._is_asked:
            time.sleep(timeout)
            return None
        if len(self._curve) >= self._command.hyperparameters["epochs"]:
            self._end("finished")
            return self._events.pop(0)
        return self._epoch(self._command)

    def is_alive(self) -> bool:
        return True

    def memory(self) -> int:
        return 0

    def last_lines(self) -> str:
        return ""

    def kill(self) -> None:
        self._command = None

    quit = kill

    def _begin(self, command: Train) -> None:
        self._command, self._curve, self._events, self._is_asked = command, [], [], False
        if message := os.environ.get(BROKEN):
            self._command = None
            self._events = [Failed(reason="crashed", message=message.replace("#", str(command.trial)))]
            return
        checkpoint = Path(command.folder) / "checkpoint-000003600.json"
        if command.resume and checkpoint.exists():
            self._curve = json.loads(checkpoint.read_text())
        self._events.append(TrialStarted(trial=command.trial, parameters=7, epoch=len(self._curve), curve=self._curve))

    def _epoch(self, command: Train) -> EpochEnded | Failed:
        time.sleep(float(os.environ.get(EPOCH_SECONDS, "0.02")))
        epoch = len(self._curve) + 1
        if epoch == 2 and DEAF in os.environ:
            ask_twice_while_deaf()
        value = value_of(command.hyperparameters, epoch)
        if os.environ.get(DIVERGES) == str(command.trial):
            value = 0.999
            if epoch == 3:
                self._command = None
                return Failed(reason="diverged", message="The loss was nan in epoch 3.")
        metrics = {command.metric: value}
        self._curve.append({"epoch": epoch, "images": epoch * DATA.n_train, **metrics})
        folder = Path(command.folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_checkpoint(folder / "checkpoint-000003600.json", self._curve)
        self._is_asked = True
        return EpochEnded(
            trial=command.trial, epoch=epoch, images=epoch * DATA.n_train, metrics=metrics, seconds=Seconds(train=epoch)
        )

    def _end(self, ending: Any) -> None:
        if self._command is None:
            return
        command, self._command, self._events = self._command, None, []
        best = max(self._curve, key=lambda entry: entry[command.metric], default=None)
        if ending != "paused" and best is not None and (file := os.environ.get(COMPUTED)):
            with Path(file).open("a") as lines:
                lines.write(json.dumps({"trial": command.trial, "value": best[command.metric]}) + "\n")
        self._events.append(
            TrialEnded(
                trial=command.trial, ending=ending, images=len(self._curve) * DATA.n_train, epochs=len(self._curve),
                best_epoch=best["epoch"] if best else 0, best_value=best[command.metric] if best else None,
                best_metrics={}, parameters=7, seconds=Seconds(train=len(self._curve)), weights="", confusion="",
            )
        )  # fmt: skip
