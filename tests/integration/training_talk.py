"""The worker's side of a trial, for tests: scripted answers, everything heard is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

from search.training.channel import Channel
from search.training.encoding import decode, encode
from search.training.messages import EpochEnded, Interrupt, Train, TrialEnded, Verdict

# As the trainer's own process has it; without effect where TensorFlow was imported before.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")

SMALL = {
    "architecture": "LeNet5",
    "blocks": None,
    "stages": None,
    "blocks_per_stage": None,
    "image_size": 28,
    "head_pool": "flatten",
    "head_layers": 1,
    "head_width": 32,
    "dropout": 0.2,
    "dropout_at": "last",
    "batch_size": 64,
    "learning_rate": 2e-3,
    "schedule": "constant",
    "optimizer": "adam",
    "momentum": 0.9,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "augment": "none",
    "patience": 10,
    "epochs": 3,
    "batch_norm": "honest",
    "weight_average": "tail",
}
RESIDUAL = {**SMALL, "architecture": "ShortResNet", "stages": 1, "blocks_per_stage": 1, "head_pool": "avg"}


@cache
def digits(train_limit: int = 256) -> Any:
    """Real digits, few of them."""
    from search.training.data.dataset import load_dataset

    return load_dataset("mnist-5k", validation=0.1, train_limit=train_limit, seed=0)


def train_command(folder: Path, hyperparameters: dict[str, Any], **values: Any) -> Train:
    return Train(
        **{
            "trial": 0,
            "hyperparameters": hyperparameters,
            "seed": 1,
            "metric": "val_accuracy",
            "direction": "maximize",
            "folder": str(folder),
            "resume": False,
            "builders": None,
            **values,
        }
    )


@dataclass
class Heard:
    """What a trainer has said."""

    events: list[Any] = field(default_factory=list)

    @property
    def curve(self) -> list[dict[str, float]]:
        return [event.metrics for event in self.judged]

    @property
    def judged(self) -> list[EpochEnded]:
        return [event for event in self.events if isinstance(event, EpochEnded)]

    @property
    def ended(self) -> TrialEnded:
        (event,) = (event for event in self.events if isinstance(event, TrialEnded))
        return event


@contextmanager
def worker(answer: Callable[[EpochEnded], list[Any]], first: list[Any]):
    """A channel whose other end says `first` at once, and `answer` to each epoch."""
    commands, events = os.pipe(), os.pipe()
    heard = Heard()

    def listen() -> None:
        with os.fdopen(events[0], "rb") as lines:
            for line in lines:
                heard.events.append(decode(line))
                if isinstance(heard.events[-1], EpochEnded):
                    for reply in answer(heard.events[-1]):
                        os.write(commands[1], encode(reply))

    thread = Thread(target=listen)
    thread.start()
    for command in first:
        os.write(commands[1], encode(command))
    try:
        yield Channel(commands[0], events[1]), heard
    finally:
        os.close(events[1])
        thread.join()
        os.close(commands[0])
        os.close(commands[1])


def train(
    folder: Path,
    hyperparameters: dict[str, Any],
    *,
    data: Any = None,
    answer: Callable[[EpochEnded], list[Any]] = lambda _: [Verdict(action="continue")],
    interrupt: Interrupt | None = None,
    structures: Any = None,
    **values: Any,
) -> Heard:
    """Train a trial in this process; raises what the trial raises."""
    from search.training import fit
    from search.training.stopwatch import Stopwatch
    from search.training.structures.kept import Structures

    command = train_command(folder, hyperparameters, **values)
    with worker(answer, [interrupt] if interrupt else []) as (channel, heard):
        ended = fit.train(command, data or digits(), channel, Stopwatch("setup"), structures or Structures())
    heard.events.append(ended)
    return heard


def action_at(epoch: float, action: str) -> Callable[[EpochEnded], list[Any]]:
    """Answers that continue until `epoch`, then say `action`."""
    return lambda event: [Verdict(action=action if event.epoch == epoch else "continue")]


def interrupt_after(epoch: float, action: str) -> Callable[[EpochEnded], list[Any]]:
    """Answers that interrupt at the first step after the judgement at `epoch`."""
    return lambda event: [
        Verdict(action="continue"),
        *([Interrupt(action=action)] if event.epoch == epoch else []),
    ]
