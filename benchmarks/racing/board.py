"""A peer's scores, written down as they come, and the weights of the best one."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from racing.legs import Score

if TYPE_CHECKING:
    from pathlib import Path

    import keras

SCORES = "scores.jsonl"
BEST = "best.json"
"""Parameters, value and file of weights of the best score so far."""


class Board:
    """What a contestant's process leaves behind when it is killed."""

    def __init__(self, folder: Path, begun: float) -> None:
        """Write into `folder`; `begun` is when the process was started, on the clock of `time.time`."""
        self._folder = folder
        self._begun = begun
        self._best = -1.0

    def add(self, trial: int, epoch: int, value: float, hyperparameters: dict[str, Any], model: keras.Model) -> None:
        """Write a score down; keep the weights if it is the best so far."""
        score = Score(seconds=round(time.time() - self._begun, 2), trial=trial, epoch=epoch, value=value)
        with (self._folder / SCORES).open("a") as file:
            file.write(json.dumps(asdict(score)) + "\n")
        if value > self._best:
            self._best = value
            self._keep(score, hyperparameters, model)

    def _keep(self, score: Score, hyperparameters: dict[str, Any], model: keras.Model) -> None:
        from search.training.checkpoints import save_weights

        weights = self._folder / f"best-t{score.trial}-e{score.epoch:g}.npz"
        save_weights(weights, [weight.numpy() for weight in model.weights])
        # Only now: killed before, the process leaves the best before this one whole.
        best = {"value": score.value, "hyperparameters": hyperparameters, "weights": weights.name}
        unfinished = self._folder / "best.new"
        unfinished.write_text(json.dumps(best))
        unfinished.replace(self._folder / BEST)
        for old in self._folder.glob("best-*.npz"):
            if old != weights:
                old.unlink()


def read_scores(file: Path) -> tuple[Score, ...]:
    """The scores of a board, without a last line that is only half there."""
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return tuple(Score(**json.loads(line)) for line in lines)
