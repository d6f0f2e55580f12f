"""One trial while it runs: what its callbacks share, and how it comes to an end."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from search.training import files
from search.training.errors import DivergedError, HopelessError, MetricError
from search.training.messages import PARTIAL, EpochEnded, Interrupt, Progress, Quit, TrialEnded, TrialStarted, Verdict
from search.training.state import TrialIdentity, TrialState
from search.training.vitals.diagnosis import BEGINNING
from search.training.vitals.thinning import N_REPORTED, thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from search.training.channel import Channel
    from search.training.course import Course, Stretch
    from search.training.hyperparameters import Hyperparameters
    from search.training.messages import Action, Command, Ending, Train
    from search.training.stopwatch import Stopwatch
    from search.training.vitals.diagnosis import Condition

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
        course: Course,
    ) -> None:
        """A session at its beginning; `state` is replaced when a checkpoint is continued."""
        self.command = command
        self.hp = hp
        self.identity = identity
        self.stopwatch = stopwatch
        self.model = model
        self.course = course
        self.folder = Path(command.folder)
        self.state = TrialState()
        self.ending: Ending | None = None
        self.failure: BaseException | None = None
        self.ahead: Sequence[Stretch] = ()
        """What the present `fit` trains, one after the other."""
        self.stretch: Stretch | None = None
        """What is being trained."""
        self.step = 0
        """Steps of the epoch that are done."""
        self.is_cut_short = False
        """Whether the stretch under way ends before its last step, and counts as far as it went."""
        self.is_abandoned = False
        """Whether the stretch under way does not count: failed, or paused in its middle."""
        self.vitals: list[dict[str, float]] = []
        """The signs of life since the last judgement; the next report takes them along."""
        self.story = ""
        """What they mean."""
        self.condition: Condition | None = None
        """How the network was when it was last looked at; None before that."""
        self._channel = channel
        self._said_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is trained."""
        return self.ending is not None or self.failure is not None

    @property
    def outcome(self) -> Ending | None:
        """How the trial has ended by itself: with its last epoch, or its patience; None while it has not."""
        if self.state.epoch >= self.hp.epochs:
            return "finished"
        return "early_stopped" if self.state.epochs_without_gain >= self.hp.patience else None

    @property
    def epochs(self) -> float:
        """Epochs done, up to the last judgement; within an epoch a fraction."""
        return self.course.epochs_at(self.state.images)

    def announce(self) -> None:
        """Tell the worker that the network is there, and where the trial stands."""
        self._channel.send(
            TrialStarted(
                trial=self.command.trial,
                parameters=self.model.count_params(),
                epoch=self.epochs,
                curve=self.state.curve,
            )
        )

    def end(self, ending: Ending) -> None:
        """End the trial at the next step; the first ending is the one that counts."""
        self.ending = self.ending or ending
        self.model.stop_training = True

    def fail(self, error: BaseException) -> None:
        """End the trial with an error, to be raised after `fit`; one of training takes the signs of life along."""
        if isinstance(error, HopelessError):
            error.vitals = self.signs()
        self.failure = self.failure or error
        self.is_abandoned = True
        self.model.stop_training = True

    def is_better(self, value: float, *, is_partial: bool) -> bool:
        """Whether `value` beats the best so far; an equal one does not.

        A value of the whole validation part beats any that was measured on a part of it.
        """
        best, best_is_partial = self.state.best_value, PARTIAL in self.state.best_metrics
        if best is not None and best_is_partial != is_partial:
            return best_is_partial
        return self._beats(value, best)

    def count_epoch(self, value: float) -> None:
        """Count an epoch that has ended with `value`, for patience and plateau.

        Only ends of epochs are compared, so that rungs do not change what is trained. Those of a network that
        has not begun to learn, and may, are not counted: its scores say nothing of it yet.
        """
        state = self.state
        state.epoch += 1
        if self.condition not in BEGINNING:
            state.epochs_without_gain += 1
            state.stalled_epochs += 1
        if self._beats(value, state.best_at_end):
            state.best_at_end = value
            state.epochs_without_gain = state.stalled_epochs = 0

    def signs(self) -> list[dict[str, float]]:
        """The signs of life since the last judgement, thinned out."""
        return thinned(self.vitals, N_REPORTED)

    def value(self, metrics: dict[str, float]) -> float:
        """The metric that counts.

        Raises:
            MetricError: if there is none of that name.
            DivergedError: if it is NaN or infinite, and would be the best for ever.
        """
        name = self.command.metric
        if name not in metrics:
            allowed = ", ".join(sorted(metrics))
            raise MetricError(f"the objective's metric must be one of {allowed}, but is {name!r}")
        if not math.isfinite(metrics[name]):
            raise DivergedError(f"{name} must be a finite number to count, but was {metrics[name]}")
        return metrics[name]

    def listen(self, step: int) -> None:
        """Tell the worker that a step of the epoch has ended, and hear whether it wants to interrupt."""
        assert self.stretch is not None
        self.step = step
        now = time.monotonic()
        if now - self._said_at >= _PROGRESS_SECONDS:
            self._said_at = now
            epoch = self.stretch.epoch + 1
            self._channel.send(Progress(trial=self.command.trial, epoch=epoch, step=step, steps=self.course.steps))
        while self.ending is None and (command := self._channel.poll()) is not None:
            action = self._interrupt(command)
            self.is_abandoned = action == "pause"
            self.is_cut_short = action == "stop" and step < self.stretch.last

    def report(self, metrics: dict[str, float]) -> None:
        """Report the judgement that has been made, wait for the verdict, and follow it."""
        self.stopwatch.switch(None)
        event = EpochEnded(
            trial=self.command.trial,
            epoch=self.epochs,
            images=self.state.images,
            metrics=metrics,
            seconds=self.stopwatch.read(),
            vitals=self.signs(),
            story=self.story,
            condition=self.condition,
        )
        self._channel.send(event)
        self.vitals = []
        if self.outcome == "finished":
            # Whoever has trained all epochs has finished, whatever the verdict.
            self.end("finished")
        if (action := self._verdict()) != "continue":
            self.end(_ENDINGS[action])
        self.stopwatch.switch("train")

    def ended(self, ending: Ending) -> TrialEnded:
        """What to tell the worker at the end."""
        state = self.state
        best = state.best_images
        return TrialEnded(
            trial=self.command.trial,
            ending=ending,
            images=state.images,
            epochs=self.epochs,
            best_epoch=self.course.epochs_at(best),
            best_value=state.best_value,
            best_metrics=state.best_metrics,
            parameters=self.model.count_params(),
            seconds=self.stopwatch.read(),
            weights=str(files.best_weights(self.folder, best)) if best else "",
            confusion=str(files.best_confusion(self.folder, best)) if best else "",
            stands_at=self.course.epochs_at(state.position),
        )

    def snapshot(self) -> TrialState:
        """The state with the time spent so far."""
        return replace(self.state, seconds=self.stopwatch.read())

    def _beats(self, value: float, other: float | None) -> bool:
        if other is None:
            return True
        return value > other if self.command.direction == "maximize" else value < other

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
