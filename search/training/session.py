"""One trial while it runs: what its callbacks share, and how it comes to an end."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from search.training import files
from search.training.errors import MetricError
from search.training.messages import EpochEnded, Interrupt, Progress, Quit, TrialEnded, TrialStarted, Verdict
from search.training.state import TrialIdentity, TrialState

if TYPE_CHECKING:
    import keras

    from search.training.channel import Channel
    from search.training.hyperparameters import Hyperparameters
    from search.training.messages import Action, Command, Ending, Train
    from search.training.stopwatch import Stopwatch

_PROGRESS_SECONDS = 1.0
_ENDINGS: dict[str, Ending] = {"stop": "stopped", "pause": "paused"}


class Session:
    """A trial, its model, and its line to the worker.

    Callbacks raise nothing: Keras would skip the callbacks after them. They say here that the
    trial is over, training stops at the next step, and the reason is acted on after `fit`.
    """

    def __init__(
        self,
        command: Train,
        hp: Hyperparameters,
        identity: TrialIdentity,
        channel: Channel,
        stopwatch: Stopwatch,
        model: keras.Model,
    ) -> None:
        """A session at its beginning; `state` is replaced when a checkpoint is continued."""
        self.command = command
        self.hp = hp
        self.identity = identity
        self.stopwatch = stopwatch
        self.model = model
        self.folder = Path(command.folder)
        self.state = TrialState()
        self.ending: Ending | None = None
        self.failure: BaseException | None = None
        self.is_partial = False
        """Whether the epoch under way was cut short, and counts as far as it went."""
        self.is_abandoned = False
        """Whether the epoch under way does not count: failed, or paused in its middle."""
        self.vitals: list[dict[str, float]] = []
        """The signs of life that the next report takes along."""
        self.story = ""
        """What they mean."""
        self._channel = channel
        self._said_at = 0.0

    def announce(self) -> None:
        """Tell the worker that the network is there, and where the trial stands."""
        self._channel.send(
            TrialStarted(
                trial=self.command.trial,
                parameters=self.model.count_params(),
                epoch=self.state.epoch,
                curve=self.state.curve,
            )
        )

    def end(self, ending: Ending) -> None:
        """End the trial at the next step; the first ending is the one that counts."""
        self.ending = self.ending or ending
        self.model.stop_training = True

    def fail(self, error: BaseException) -> None:
        """End the trial with an error, to be raised after `fit`."""
        self.failure = self.failure or error
        self.is_abandoned = True
        self.model.stop_training = True

    def is_better(self, value: float) -> bool:
        """Whether `value` beats the best so far; an equal one does not."""
        best = self.state.best_value
        if best is None:
            return True
        return value > best if self.command.direction == "maximize" else value < best

    def value(self, metrics: dict[str, float]) -> float:
        """The metric that counts.

        Raises:
            MetricError: if there is none of that name.
        """
        name = self.command.metric
        if name not in metrics:
            allowed = ", ".join(sorted(metrics))
            raise MetricError(f"the objective's metric must be one of {allowed}, but is {name!r}")
        return metrics[name]

    def listen(self, step: int, steps: int) -> None:
        """Tell the worker how far the trial is, and hear whether it wants to interrupt."""
        now = time.monotonic()
        if now - self._said_at >= _PROGRESS_SECONDS:
            self._said_at = now
            trial = self.command.trial
            self._channel.send(Progress(trial=trial, epoch=self.state.epoch + 1, step=step, steps=steps))
        while self.ending is None and (command := self._channel.poll()) is not None:
            action = self._interrupt(command)
            self.is_abandoned = action == "pause"
            self.is_partial = action == "stop" and step < steps

    def report(self, metrics: dict[str, float]) -> None:
        """Report the epoch that has ended, wait for the verdict, and follow it."""
        self.stopwatch.switch(None)
        event = EpochEnded(
            trial=self.command.trial,
            epoch=self.state.epoch,
            metrics=metrics,
            seconds=self.stopwatch.read(),
            vitals=self.vitals,
            story=self.story,
        )
        self._channel.send(event)
        if self.state.epoch >= self.hp.epochs:
            # Whoever has trained all epochs has finished, whatever the verdict.
            self.end("finished")
        if (action := self._verdict()) != "continue":
            self.end(_ENDINGS[action])
        self.stopwatch.switch("train")

    def ended(self, ending: Ending) -> TrialEnded:
        """What to tell the worker at the end."""
        state = self.state
        best = state.best_epoch
        return TrialEnded(
            trial=self.command.trial,
            ending=ending,
            epochs=state.epoch,
            best_epoch=best,
            best_value=state.best_value,
            best_metrics=state.best_metrics,
            parameters=self.model.count_params(),
            seconds=self.stopwatch.read(),
            weights=str(files.best_weights(self.folder, best)) if best else "",
            confusion=str(files.best_confusion(self.folder, best)) if best else "",
        )

    def snapshot(self) -> TrialState:
        """The state with the time spent so far."""
        return replace(self.state, seconds=self.stopwatch.read())

    def _verdict(self) -> Action:
        while not isinstance(command := self._channel.receive(), Verdict):
            self._interrupt(command)
            if isinstance(command, Quit):
                return "pause"
        return command.action

    def _interrupt(self, command: Command) -> Action:
        if isinstance(command, Quit):
            # The checkpoint is what remains; the loop then finds the same command and ends.
            self._channel.give_back(command)
            action: Action = "pause"
        elif isinstance(command, Interrupt):
            action = command.action
        else:
            raise TypeError(f"while a trial runs only Interrupt and Quit may come, but got {command!r}")
        self.end(_ENDINGS[action])
        return action
