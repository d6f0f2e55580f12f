"""The trainer's life: one command after the other, until its worker has no more."""

from __future__ import annotations

import gc
import logging
import os
import platform
from typing import TYPE_CHECKING

import keras
import numpy as np

from search.training import tensorflow_runtime
from search.training.data.dataset import describe, load_dataset
from search.training.data.errors import DataError
from search.training.errors import HopelessError
from search.training.evaluate import evaluate
from search.training.export import export
from search.training.failures import failure
from search.training.fit import train
from search.training.measure import measure
from search.training.messages import (
    DataLoaded,
    Evaluate,
    Export,
    Interrupt,
    LoadData,
    Measure,
    Quit,
    Ready,
    Train,
)
from search.training.stopwatch import Stopwatch
from search.training.structures.kept import Structures

if TYPE_CHECKING:
    from search.training.channel import Channel
    from search.training.data.dataset import Dataset
    from search.training.messages import Command, Event

_log = logging.getLogger(__name__)


class Trainer:
    """Carries out commands; the data, and networks that were compiled, stay in memory between them."""

    def __init__(self, channel: Channel, memory: int) -> None:
        """Speak over `channel`; keep networks as long as this process takes less than `memory` bytes."""
        self._channel = channel
        self._memory = memory
        self._structures = Structures()
        self._data: Dataset | None = None
        self._loaded: LoadData | None = None

    def serve(self) -> None:
        """Answer commands until Quit; an error of one is its answer, and the next is taken.

        Raises:
            EOFError: if the worker is gone.
        """
        self._channel.send(_ready())
        while not isinstance(command := self._channel.receive(), Quit):
            if isinstance(command, Interrupt):
                continue  # the trial that it was meant for has just ended
            self._channel.send(self._answer(command))
            self._tidy(command)

    def _answer(self, command: Command) -> Event:
        stopwatch = Stopwatch("setup")
        try:
            return self._carry_out(command, stopwatch)
        except EOFError:
            raise
        except HopelessError as error:  # nothing broke: the next trial may use the network
            _log.warning("%s", error)
            answer = failure(error, stopwatch.read())
        except Exception as error:  # noqa: BLE001 - it is the answer
            _log.exception("%s failed", type(command).__name__)
            answer = failure(error, stopwatch.read())
            self._structures.forget()  # whatever broke may be half built
        # The error's traceback holds the network; it is gone once `error` is.
        gc.collect()
        return answer

    def _carry_out(self, command: Command, stopwatch: Stopwatch) -> Event:
        if isinstance(command, LoadData):
            return self._load(command)
        if isinstance(command, Measure):
            return measure(command)
        if isinstance(command, Train):
            return train(command, self._dataset(), self._channel, stopwatch, self._structures)
        if isinstance(command, Export):
            return export(command, self._dataset())
        if isinstance(command, Evaluate):
            return evaluate(command, self._dataset())
        raise TypeError(f"between trials a command must ask for something, but got {command!r}")

    def _tidy(self, command: Command) -> None:
        """Give back memory that the next command does not need."""
        if isinstance(command, Train):
            self._structures.shrink(self._memory)
        elif not isinstance(command, LoadData):
            self._structures.forget()

    def _load(self, command: LoadData) -> DataLoaded:
        if command != self._loaded:
            # The old set goes first: two of them may not fit.
            self._data = self._loaded = None
            self._data = load_dataset(command.source, command.validation, command.train_limit, command.seed)
            self._loaded = command
        return DataLoaded(**describe(self._dataset()))

    def _dataset(self) -> Dataset:
        if self._data is None:
            raise DataError("data must be loaded before this, but none are")
        return self._data


def _ready() -> Ready:
    versions = {
        "keras": keras.__version__,
        "backend": f"tensorflow {tensorflow_runtime.version()}",
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    return Ready(pid=os.getpid(), versions=versions)
