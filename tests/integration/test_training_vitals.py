from __future__ import annotations

import json
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest

from search.training.callbacks.vitals import Story, Vitals
from search.training.channel import Channel
from search.training.course import Course, Stretch
from search.training.encoding import decode, encode
from search.training.errors import CollapsedError, DivergedError
from search.training.failures import failure
from search.training.messages import Seconds, Train, Verdict
from search.training.session import Session
from search.training.state import TrialIdentity, TrialState
from search.training.stopwatch import Stopwatch

ALIVE = {
    "loss": 3.85,
    "spread": 3e-5,
    "gradient_first": 1.23456e-4,
    "gradient_last": 0.5,
    "update_ratio": 1e-3,
    "dead_units": 0.0,
}
LABELS = np.arange(470) % 47
DATASET = SimpleNamespace(labels=LABELS, train=np.arange(470))
DEAD = {**ALIVE, "spread": 8e-9, "gradient_first": 8e-9}


class Model:
    """Has the signs that it is given, one step after the other."""

    def __init__(self):
        self.stop_training = False
        self.trainable_variables = [np.zeros((3, 3, 1, 8)), np.zeros(8), np.zeros((8, 47)), np.zeros(47)]
        self.now = ALIVE
        self.n_read = 0

    def _flatten_layers(self, **_):
        return []

    def signs(self):
        self.n_read += 1
        return self.now


class Trial:
    """A session whose model is made up, with its two callbacks, and the worker's end of the pipes."""

    def __init__(self, state=None):
        commands, events = os.pipe(), os.pipe()
        self.worker, self._events = commands[1], events[0]
        self.descriptors = (*commands, *events)
        command = Train(
            trial=4, hyperparameters={}, seed=1, metric="val_accuracy", direction="maximize", folder="unused",
            resume=False, builders=None,
        )  # fmt: skip
        hp = SimpleNamespace(
            epochs=5,
            patience=5,
            architecture="LeNet5",
            learning_rate=0.1,
            optimizer="adam",
            batch_size=64,
            schedule="constant",
        )
        channel = Channel(commands[0], events[1])
        identity = TrialIdentity.of(command, "data")
        course = Course(n_images=4000, batch_size=10, epochs=5)
        self.session = Session(command, hp, identity, channel, Stopwatch("train"), Model(), course)
        self.session.ahead = [Stretch(epoch=epoch, first=0, last=400) for epoch in range(5)]
        self.session.stretch = self.session.ahead[0]
        self.session.state = state or TrialState()
        self.vitals = Vitals(self.session, DATASET)
        self.story = Story(self.session, self.vitals)

    def steps(self, signs, n_steps):
        self.session.model.now = signs
        for step in range(n_steps):
            self.vitals.on_train_batch_end(step, {"loss": signs["loss"]})

    def report(self):
        """The event that the worker gets at the end of an epoch."""
        self.story.on_epoch_end(0, {})
        os.write(self.worker, encode(Verdict(action="continue")))
        self.session.report({"val_accuracy": 0.5})
        return decode(os.read(self._events, 65536))


@pytest.fixture
def trial():
    made = []

    def make(state=None):
        made.append(Trial(state))
        return made[-1]

    yield make
    for one in made:
        for descriptor in one.descriptors:
            os.close(descriptor)


def test_dead_trial_is_failed_within_steps_with_its_story_and_signs(trial):
    dying = trial()

    dying.steps(ALIVE, 7)
    dying.steps(DEAD, 30)

    failed = failure(dying.session.failure, Seconds(train=2.0))
    assert isinstance(dying.session.failure, CollapsedError)
    assert dying.session.model.stop_training
    assert dying.session.model.n_read < 25
    assert failed.reason == "collapsed"
    assert failed.message.startswith("Dead since step 8: the network gives every image the same answer (spread")
    assert failed.message.endswith("Try 0.01.")
    assert failed.vitals[0] == {**ALIVE, "step": 1.0, "gradient_first": 1.235e-4}
    assert failed.vitals[-1]["spread"] == 8e-9
    assert decode(encode(failed)) == failed


def test_diverged_trial_keeps_the_signs_that_are_finite(trial):
    lost = trial()

    lost.steps(ALIVE, 2)
    lost.steps({**ALIVE, "loss": math.nan}, 3)

    failed = failure(lost.session.failure, Seconds())
    assert isinstance(lost.session.failure, DivergedError)
    assert failed.reason == "diverged"
    assert [signs["step"] for signs in failed.vitals] == [1, 2]
    assert decode(encode(failed)) == failed


def test_trial_that_diverges_between_two_looks_is_looked_at_then(trial):
    lost = trial()

    lost.steps({**ALIVE, "loss": 1.0}, 136)
    lost.steps({**ALIVE, "loss": math.nan}, 1)

    failed = failure(lost.session.failure, Seconds())
    assert failed.message.startswith("Diverged at step 137: loss or gradients are no longer finite numbers")
    assert (failed.vitals[0]["step"], failed.vitals[-1]["step"]) == (1, 130)


def test_trial_whose_answers_are_not_finite_keeps_its_signs(trial):
    lost = trial()

    lost.steps(ALIVE, 20)
    lost.session.fail(DivergedError("no number"))

    assert [signs["step"] for signs in failure(lost.session.failure, Seconds()).vitals] == list(range(1, 21))


def test_each_of_the_first_hundred_steps_is_looked_at_then_each_tenth(trial):
    living = trial()

    living.steps({**ALIVE, "loss": 1.0}, 60)
    living.steps({**ALIVE, "loss": 1.0}, 60)  # of the next epoch

    assert living.session.failure is None
    assert living.session.model.n_read == 102


def test_report_takes_signs_and_story_along_once(trial):
    slow = trial()

    slow.steps(ALIVE, 80)
    first = slow.report()
    slow.steps(ALIVE, 80)
    second = slow.report()

    assert len(first.vitals) == 40
    assert (first.vitals[0]["step"], first.vitals[-1]["step"]) == (1, 80)
    assert first.story.startswith("Slow, but not dead: the loss is still that of guessing")
    assert (second.vitals[0]["step"], second.vitals[-1]["step"]) == (81, 160)


def test_network_that_has_not_moved_in_three_hundred_steps_is_told_so(trial):
    still = trial()

    still.steps(ALIVE, 320)

    assert still.report().story.startswith("Not started after 320 steps: the answers hardly differ from image to image")


def test_trial_that_ends_while_it_recovers_says_so(trial):
    shaken = trial()

    shaken.steps(ALIVE, 20)
    shaken.steps({**ALIVE, "spread": 2e-7}, 30)
    shaken.steps({**ALIVE, "spread": 2e-6}, 10)

    assert shaken.report().story.startswith("Recovering since step 5")


def test_trial_that_learns_has_no_story_until_its_curve_has_one(trial):
    living = trial()
    good = {"epoch": 1, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.8}

    living.steps({**ALIVE, "loss": 0.5}, 20)
    living.session.state.curve = [good]
    before = living.report().story
    lagging = {**good, "val_accuracy": 0.02}
    living.session.state.curve = [{**lagging, "epoch": 0.3}]
    at_rung = living.report().story
    living.session.state.curve = [lagging]

    assert before == at_rung == ""
    assert living.report().story.startswith("It learns, but validation does not show it")


def test_examination_goes_on_after_a_checkpoint(trial):
    """A trial that was paused while it was dying is found dead at the same step as one that was not."""
    whole, first = trial(), trial()
    whole.steps(ALIVE, 7)
    whole.steps(DEAD, 30)
    first.steps(ALIVE, 7)
    first.steps(DEAD, 3)
    first.report()

    kept = json.loads(json.dumps(first.session.state.to_json()))
    second = trial(TrialState.from_json(kept))
    second.steps(DEAD, 30)

    assert str(second.session.failure) == str(whole.session.failure)
    assert second.session.model.n_read == whole.session.model.n_read - 10


def test_story_goes_on_after_a_checkpoint_before_the_next_look(trial):
    slow = trial()
    slow.steps(ALIVE, 300)
    told = slow.report().story
    assert told.startswith("Not started")

    continued = trial(TrialState.from_json(json.loads(json.dumps(slow.session.state.to_json()))))
    continued.steps(ALIVE, 4)  # the next look is at step 310

    assert (continued.session.model.n_read, continued.report().story) == (0, told)


def test_state_of_an_older_checkpoint_begins_anew(trial):
    old = TrialState().to_json()
    del old["vitals"], old["steps"], old["diagnosis"], old["signs"]

    assert trial(TrialState.from_json(old)).vitals.steps == 0
