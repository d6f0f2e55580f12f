from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from search.training.channel import Channel
from search.training.course import Course, Stretch
from search.training.encoding import decode, encode
from search.training.errors import MetricError
from search.training.messages import EpochEnded, Interrupt, Progress, Quit, Train, Verdict
from search.training.session import Session
from search.training.state import TrialIdentity, TrialState
from search.training.stopwatch import Stopwatch


class Talk:
    """A session with a made-up model, and the worker's ends of its pipes."""

    def __init__(self, *, direction="maximize", metric="val_accuracy", epochs=5):
        commands, events = os.pipe(), os.pipe()
        self.worker, self._events = commands[1], events[0]
        self.descriptors = (*commands, *events)
        command = Train(
            trial=4,
            hyperparameters={},
            seed=1,
            metric=metric,
            direction=direction,
            folder="unused",
            resume=False,
            builders=None,
        )
        self.model = SimpleNamespace(stop_training=False, count_params=lambda: 12)
        self.session = Session(
            command,
            SimpleNamespace(epochs=epochs, patience=epochs),
            TrialIdentity.of(command, "data"),
            Channel(commands[0], events[1]),
            Stopwatch("setup"),
            self.model,
            Course(n_images=90, batch_size=10, epochs=epochs),
        )
        self.session.stretch = Stretch(epoch=0, first=0, last=9)

    def say(self, *commands):
        for command in commands:
            os.write(self.worker, encode(command))

    def hear(self):
        return [decode(line) for line in os.read(self._events, 65536).splitlines()]


@pytest.fixture
def talk():
    made = []

    def make(**values):
        made.append(Talk(**values))
        return made[-1]

    yield make
    for one in made:
        for descriptor in one.descriptors:
            os.close(descriptor)


@pytest.mark.parametrize(
    ("direction", "best", "value", "better"),
    [
        ("maximize", 0.5, 0.6, True),
        ("maximize", 0.5, 0.5, False),  # only equal
        ("minimize", 0.5, 0.4, True),
        ("minimize", 0.5, 0.6, False),
        ("minimize", None, 9.0, True),  # the first
    ],
)
def test_better_follows_the_direction(talk, direction, best, value, better):
    session = talk(direction=direction).session
    session.state.best_value = best

    assert session.is_better(value, is_partial=False) is better


@pytest.mark.parametrize(
    ("best", "value", "is_partial", "better"),
    [
        ({"val_images": 500}, 0.1, False, True),  # the first one on the whole part
        ({}, 0.9, True, False),
        ({"val_images": 500}, 0.6, True, True),
        ({"val_images": 500}, 0.4, True, False),
    ],
)
def test_value_of_the_whole_part_comes_before_any_of_a_part(talk, best, value, is_partial, better):
    session = talk().session
    session.state.best_value, session.state.best_metrics = 0.5, best

    assert session.is_better(value, is_partial=is_partial) is better


def test_metric_that_does_not_exist_is_named(talk):
    with pytest.raises(MetricError) as caught:
        talk(metric="val_f1").session.value({"val_loss": 1.0, "loss": 2.0})

    assert str(caught.value) == "the objective's metric must be one of loss, val_loss, but is 'val_f1'"


def test_progress_is_sent_once_a_second(talk):
    one = talk()
    one.session.listen(1)
    one.session.listen(2)

    assert one.hear() == [Progress(trial=4, epoch=1, step=1, steps=9)]


def test_interrupt_to_stop_cuts_the_stretch_short(talk):
    one = talk()
    one.say(Interrupt(action="stop"))
    one.session.listen(3)

    assert (one.session.ending, one.session.is_cut_short, one.session.is_abandoned) == ("stopped", True, False)
    assert one.model.stop_training


def test_interrupt_to_stop_after_the_last_step_leaves_the_stretch_whole(talk):
    one = talk()
    one.say(Interrupt(action="stop"))
    one.session.listen(9)

    assert (one.session.ending, one.session.is_cut_short, one.session.is_abandoned) == ("stopped", False, False)


def test_interrupt_to_pause_abandons_the_stretch(talk):
    one = talk()
    one.say(Interrupt(action="pause"))
    one.session.listen(9)

    assert (one.session.ending, one.session.is_abandoned) == ("paused", True)


def test_quit_pauses_and_is_kept_for_the_loop(talk):
    one = talk()
    one.say(Quit())
    one.session.listen(3)

    assert one.session.ending == "paused"
    assert one.session._channel.receive() == Quit()


@pytest.mark.parametrize(("action", "ending"), [("continue", None), ("stop", "stopped"), ("pause", "paused")])
def test_verdict_is_followed(talk, action, ending):
    one = talk()
    one.session.state = TrialState(epoch=2, images=180)
    one.say(Verdict(action=action))
    one.session.report({"loss": 1.0})

    (event,) = one.hear()
    assert isinstance(event, EpochEnded)
    assert (event.epoch, event.images, event.metrics) == (2, 180, {"loss": 1.0})
    assert (one.session.ending, one.session.is_abandoned) == (ending, False)
    assert one.model.stop_training is (ending is not None)


@pytest.mark.parametrize("action", ["continue", "stop", "pause"])
def test_last_epoch_finishes_whatever_the_verdict(talk, action):
    one = talk(epochs=2)
    one.session.state = TrialState(epoch=2, images=180)
    one.say(Verdict(action=action))
    one.session.report({})

    assert one.session.ending == "finished"


def test_interrupt_that_crosses_a_report_is_followed_after_the_verdict(talk):
    one = talk()
    one.session.state = TrialState(epoch=1, images=90)
    one.say(Interrupt(action="stop"), Verdict(action="continue"))
    one.session.report({})

    assert (one.session.ending, one.session.is_cut_short) == ("stopped", False)
    assert one.session._channel.poll() is None


def test_time_spent_waiting_is_nobodys(talk):
    one = talk()
    one.session.stopwatch.switch("checkpoint")
    one.say(Verdict(action="continue"))
    one.session.report({})
    before = one.hear()[0].seconds

    assert one.session.stopwatch.phase == "train"
    assert one.session.stopwatch.read().checkpoint == before.checkpoint


def test_command_out_of_turn_is_an_error(talk):
    one = talk()
    one.say(Verdict(action="continue"))

    with pytest.raises(TypeError, match="only Interrupt and Quit"):
        one.session.listen(1)


def test_state_survives_json():
    import json

    state = TrialState(epoch=3, images=30, best_images=20, best_value=0.5, curve=[{"loss": 0.1}])

    assert TrialState.from_json(json.loads(json.dumps(state.to_json()))) == state


@pytest.mark.parametrize(
    ("condition", "counted"), [("slow_starter", 0), ("shaken", 0), ("never_started", 3), ("learning", 3), (None, 3)]
)
def test_epochs_of_a_network_that_has_not_begun_do_not_try_the_patience(talk, condition, counted):
    session = talk().session
    session.state.best_at_end = 0.1
    session.condition = condition

    session.state.epochs_without_gain = session.state.stalled_epochs = 4

    for _ in range(3):
        session.count_epoch(0.1)

    assert session.state.epoch == 3
    assert session.state.epochs_without_gain == session.state.stalled_epochs == 4 + counted
