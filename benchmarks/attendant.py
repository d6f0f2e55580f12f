"""Trials in a benchmark's own process, with a worker's end of the pipe that lets each of them go on."""

from __future__ import annotations

import gc
import os
import time
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from search.training.encoding import decode, encode
from search.training.messages import EpochEnded, Train, Verdict
from search.worker.rungs import rungs
from spaces.catalogue import RULES
from spaces.space import Pruner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from search.training.channel import Channel
    from search.training.data.dataset import Dataset
    from search.training.messages import TrialEnded
    from search.training.structures.kept import Structures


def environment(threads: int) -> dict[str, str]:
    """What a trainer's process has in its environment, besides what this one has."""
    return {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "OMP_NUM_THREADS": str(threads),
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def settle(threads: int, *, processor_time: bool = False) -> None:
    """Set this process up as a trainer's is, but for signals; call it before Keras is imported.

    With `processor_time` all that is measured in it, by the trainer's stopwatch too, are seconds
    of its own work: a machine that others use as well hardly changes those.
    """
    if processor_time:
        time.perf_counter = time.process_time
    os.environ.update(environment(threads))
    from search.training import tensorflow_runtime

    tensorflow_runtime.configure(threads)
    import search.training.fit  # noqa: F401 - all that is imported is frozen below

    gc.collect()
    gc.freeze()


def hyperparameters(architecture: str, **values: Any) -> dict[str, Any]:
    """All parameters of a trial: the defaults, where `values` has no other."""
    defaults = {name: rule.default_for(architecture) for name, rule in RULES.items()}
    return {**defaults, "architecture": architecture, **values}


def usual_rungs(n_train: int, epochs: int) -> tuple[int, ...]:
    """Images seen at which a search judges trials of so many epochs without more being said."""
    pruner = Pruner()
    return rungs(pruner.min_images, n_train, epochs, pruner.reduction_factor)


def command(folder: Path, values: dict[str, Any], trial: int = 0, judge_at: tuple[int, ...] = ()) -> Train:
    """Train a trial with these hyperparameters, from the beginning; judge it at so many images seen, too."""
    return Train(
        trial=trial, hyperparameters=values, seed=trial, metric="val_accuracy", direction="maximize",
        folder=str(folder), resume=False, builders=None, judge_at=judge_at,
    )  # fmt: skip


def train(
    folder: Path, values: dict[str, Any], dataset: Dataset, structures: Structures, judge_at: tuple[int, ...] = ()
) -> TrialEnded:
    """Train a trial in this process, through the trainer's own code and a real pipe."""
    from search.training import fit
    from search.training.stopwatch import Stopwatch

    with _worker() as channel:
        return fit.train(command(folder, values, judge_at=judge_at), dataset, channel, Stopwatch("setup"), structures)


@contextmanager
def _worker() -> Iterator[Channel]:
    from search.training.channel import Channel

    commands, events = os.pipe(), os.pipe()

    def listen() -> None:
        with os.fdopen(events[0], "rb") as lines:
            for line in lines:
                if isinstance(decode(line), EpochEnded):
                    os.write(commands[1], encode(Verdict(action="continue")))

    thread = Thread(target=listen)
    thread.start()
    try:
        yield Channel(commands[0], events[1])
    finally:
        os.close(events[1])
        thread.join()
        os.close(commands[0])
        os.close(commands[1])
