from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from training_talk import RESIDUAL, SMALL, action_at, digits, interrupt_after, train

from search.training import files
from search.training.batch_norm import HonestAverages
from search.training.callbacks import validation
from search.training.callbacks.order import Order
from search.training.callbacks.validation import Validation
from search.training.confusion import Confusion
from search.training.data.dataset import load_dataset
from search.training.errors import DivergedError, MetricError
from search.training.messages import PARTIAL, EpochEnded, Interrupt, TrialStarted, Verdict
from search.training.scoring import logits_of


def counts_of(ended):
    """The confusion counts of digits that a trial wrote."""
    return Confusion.from_json(json.loads(Path(ended.confusion).read_text())).table(range(10))


def test_trial_learns_and_keeps_its_best_epoch(tmp_path):
    heard = train(tmp_path, {**SMALL, "epochs": 4}, data=digits(1024))
    ended = heard.ended

    assert [event.epoch for event in heard.events if isinstance(event, EpochEnded)] == [1, 2, 3, 4]
    assert (ended.ending, ended.epochs) == ("finished", 4)
    assert ended.best_value == max(metrics["val_accuracy"] for metrics in heard.curve) > 0.6
    assert ended.best_metrics == heard.curve[ended.best_epoch - 1]
    assert set(ended.best_metrics) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert isinstance(heard.events[0], TrialStarted)
    assert heard.events[0].parameters == ended.parameters


def test_confusion_counts_are_those_of_the_best_epoch(tmp_path):
    ended = train(tmp_path, SMALL).ended
    data = digits()

    written = json.loads(Path(ended.confusion).read_text())
    counts = counts_of(ended)

    assert written["classes"] == list(data.classes)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(data.labels[data.validation], minlength=10))
    assert counts.trace() / counts.sum() == ended.best_value


def test_same_seed_gives_the_same_curve_whatever_came_before(tmp_path):
    first = train(tmp_path / "a", {**SMALL, "augment": "shift_rotate", "epochs": 2})
    train(tmp_path / "b", {**RESIDUAL, "epochs": 1}, seed=5)
    again = train(tmp_path / "c", {**SMALL, "augment": "shift_rotate", "epochs": 2})
    other = train(tmp_path / "d", {**SMALL, "augment": "shift_rotate", "epochs": 2}, seed=2)

    assert again.curve == first.curve
    assert other.curve != first.curve


def test_patience_ends_a_trial_that_gets_no_better(tmp_path):
    heard = train(tmp_path, {**SMALL, "learning_rate": 1e-12, "patience": 2, "epochs": 9})

    assert (heard.ended.ending, heard.ended.epochs, heard.ended.best_epoch) == ("early_stopped", 3, 1)


def test_plateau_halves_the_learning_rate(tmp_path):
    heard = train(
        tmp_path,
        {**SMALL, "schedule": "plateau", "learning_rate": 1e-12, "patience": 6, "epochs": 6},
    )

    rates = [metrics["learning_rate"] / 1e-12 for metrics in heard.curve]
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.5, 0.25])


def test_cosine_falls_to_nothing(tmp_path):
    heard = train(tmp_path, {**SMALL, "schedule": "cosine", "learning_rate": 1e-3, "epochs": 2})

    steps = 4
    expected = [0.5e-3 * (1 + np.cos(np.pi * (epoch * steps - 1) / (2 * steps))) for epoch in (1, 2)]
    assert [metrics["learning_rate"] for metrics in heard.curve] == pytest.approx(expected, rel=1e-5)


def test_patience_and_plateau_count_whole_epochs_only(tmp_path):
    hyperparameters = {**SMALL, "schedule": "plateau", "learning_rate": 1e-12, "patience": 3, "epochs": 9}

    heard = train(tmp_path, hyperparameters, judge_at=(64, 128, 192))

    assert [event.epoch for event in heard.judged] == [0.25, 0.5, 0.75, 1, 2, 3, 4]
    assert (heard.ended.ending, heard.ended.epochs) == ("early_stopped", 4)
    rates = [metrics["learning_rate"] / 1e-12 for metrics in heard.curve]
    assert rates == pytest.approx([1, 1, 1, 1, 1, 0.5, 0.25])


def test_cosine_is_not_moved_by_rungs(tmp_path):
    hyperparameters = {**SMALL, "schedule": "cosine", "learning_rate": 1e-3, "epochs": 2}

    rates = [metrics["learning_rate"] for metrics in train(tmp_path, hyperparameters, judge_at=(128,)).curve]

    assert rates == pytest.approx([0.5e-3 * (1 + np.cos(np.pi * step / 8)) for step in (1, 3, 7)], rel=1e-5)


@pytest.mark.parametrize(("action", "ending"), [("stop", "stopped"), ("pause", "paused")])
def test_verdict_ends_the_trial_after_its_epoch(tmp_path, action, ending):
    ended = train(tmp_path, SMALL, answer=action_at(2, action)).ended

    assert (ended.ending, ended.epochs) == (ending, 2)
    assert ended.best_value is not None


def test_interrupt_to_stop_before_the_first_epoch_still_gives_a_value(tmp_path):
    heard = train(tmp_path, SMALL, interrupt=Interrupt(action="stop"))
    ended = heard.ended

    assert (ended.ending, ended.images, ended.epochs, ended.best_epoch) == ("stopped", 64, 0.25, 0.25)
    assert ended.best_value == heard.curve[0]["val_accuracy"]
    assert len(heard.curve) == 1


def test_interrupt_to_stop_counts_what_was_trained_of_an_epoch(tmp_path):
    heard = train(tmp_path, SMALL, answer=interrupt_after(1, "stop"))

    assert (heard.ended.ending, heard.ended.epochs, len(heard.curve)) == ("stopped", 1.25, 2)
    assert heard.ended.best_value == max(metrics["val_accuracy"] for metrics in heard.curve)
    assert [path.name for path in tmp_path.glob("checkpoint-*.npz")] == ["checkpoint-000000256.npz"]


def test_interrupt_to_pause_leaves_a_checkpoint_of_the_step(tmp_path):
    heard = train(tmp_path, SMALL, answer=interrupt_after(1, "pause"))

    assert (heard.ended.ending, heard.ended.epochs, len(heard.curve)) == ("paused", 1, 1)
    assert files.checkpoints(tmp_path) == [320, 256]


def test_interrupt_to_pause_before_the_first_judgement_keeps_what_was_trained(tmp_path):
    ended = train(tmp_path, SMALL, interrupt=Interrupt(action="pause")).ended

    assert (ended.ending, ended.epochs, ended.best_epoch, ended.best_value) == ("paused", 0, 0, None)
    assert (ended.weights, ended.confusion) == ("", "")
    assert files.checkpoints(tmp_path) == [64]


@cache
def many_validated():
    """Digits of which more are for validation than an early judgement takes."""
    return load_dataset("mnist-5k", validation=0.3, train_limit=512, seed=0)


def test_judgement_within_the_first_epoch_takes_a_part_of_the_validation_images(tmp_path):
    data = many_validated()
    heard = train(tmp_path, {**SMALL, "epochs": 1}, data=data, judge_at=(128, 256))
    early = [metrics.get("val_images") for metrics in heard.curve]

    assert early == [500, 500, None]
    assert all(
        metrics["val_accuracy"] * 500 == pytest.approx(round(metrics["val_accuracy"] * 500))
        for metrics in heard.curve[:2]
    )
    # What was measured on the whole part counts, whatever the parts have shown.
    assert (heard.ended.best_epoch, heard.ended.best_metrics) == (1, heard.curve[-1])
    counts = counts_of(heard.ended)
    assert counts.sum() == len(data.validation) == 1200


def test_trial_that_pauses_within_its_first_epoch_keeps_its_best_part(tmp_path):
    heard = train(tmp_path, SMALL, data=many_validated(), judge_at=(128, 256), answer=action_at(0.5, "pause"))

    best = max(heard.curve, key=lambda metrics: metrics["val_accuracy"])
    assert (heard.ended.best_value, heard.ended.best_metrics) == (best["val_accuracy"], best)
    counts = counts_of(heard.ended)
    assert counts.sum() == 500
    assert counts.trace() / 500 == heard.ended.best_value
    assert counts.sum(axis=1).max() - counts.sum(axis=1).min() <= 2  # digits, nearly as many of each


def test_trial_that_is_stopped_within_its_first_epoch_is_measured_on_the_whole_part(tmp_path):
    heard = train(tmp_path, SMALL, data=many_validated(), judge_at=(128, 256), answer=interrupt_after(0.25, "stop"))

    assert [metrics.get("val_images") for metrics in heard.curve] == [500, None]
    assert heard.ended.best_metrics == heard.curve[1]


def test_metric_that_does_not_exist_fails_at_the_first_epoch(tmp_path):
    with pytest.raises(MetricError, match=r"must be one of accuracy, .*val_loss, but is 'val_f1'"):
        train(tmp_path, SMALL, metric="val_f1")


def test_loss_that_is_no_number_ends_the_trial_as_diverged(tmp_path):
    with pytest.raises(DivergedError, match=r"Diverged at step \d: .* learning rate 1e\+30 with sgd"):
        train(tmp_path, {**SMALL, "optimizer": "sgd", "learning_rate": 1e30})


def test_f16_weights_that_are_nan_at_epoch_3_end_the_trial_and_leave_its_best(tmp_path, monkeypatch):
    heard, begins = [], Order.stretch_begins

    def poison(self, stretch):
        begins(self, stretch)
        if stretch.epoch == 2:
            self.session.model.trainable_variables[0].assign(
                np.full(self.session.model.trainable_variables[0].shape, np.nan)
            )

    def answer(event):
        heard.append(event)
        return [Verdict(action="continue")]

    monkeypatch.setattr(Order, "stretch_begins", poison)
    with pytest.raises(DivergedError, match="Diverged at step 9"):
        train(tmp_path, {**SMALL, "epochs": 5}, answer=answer)

    assert [event.epoch for event in heard] == [1, 2]
    best = max(heard, key=lambda event: event.metrics["val_accuracy"]).images
    assert all(np.isfinite(array).all() for array in files.read_arrays(files.best_weights(tmp_path, best)))


@pytest.mark.parametrize(
    ("direction", "value"), [("maximize", np.inf), ("minimize", -np.inf), ("maximize", np.nan), ("minimize", np.nan)]
)
def test_f16_value_that_is_not_finite_is_never_the_best(tmp_path, monkeypatch, direction, value):
    validated = Validation.stretch_ended

    def spoil(self, metrics):
        validated(self, metrics)
        if self.session.stretch.epoch == 1:
            metrics["val_loss"] = value

    monkeypatch.setattr(Validation, "stretch_ended", spoil)
    with pytest.raises(DivergedError, match="val_loss must be a finite number to count, but was"):
        train(tmp_path, SMALL, metric="val_loss", direction=direction)

    assert [path.name for path in tmp_path.glob("best-*")] == ["best-000000256.npz"]
    assert files.checkpoints(tmp_path) == [256]


def test_loss_may_be_the_objective(tmp_path):
    ended = train(tmp_path, SMALL, metric="val_loss", direction="minimize").ended

    assert ended.best_value == ended.best_metrics["val_loss"]


def test_seconds_are_accounted_for(tmp_path):
    seconds = train(tmp_path, {**SMALL, "epochs": 1}).ended.seconds

    assert min(seconds.setup, seconds.train, seconds.validate, seconds.checkpoint) > 0


def test_full_disk_fails_the_trial_where_its_best_cannot_be_kept(tmp_path, monkeypatch):
    import errno

    from search.training import files

    def full_disk(path, fill):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write", full_disk)
    with pytest.raises(OSError, match="No space left"):
        train(tmp_path, SMALL)


def test_checkpoint_without_room_costs_only_the_checkpoint(tmp_path, monkeypatch):
    import errno

    from search.training import files

    write = files.write

    def little_room(path, fill):
        if path.name.startswith("checkpoint"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, fill)

    monkeypatch.setattr(files, "write", little_room)

    assert train(tmp_path, {**SMALL, "epochs": 2}).ended.epochs == 2
    assert list(tmp_path.glob("checkpoint-*")) == []


def test_trial_that_is_stopped_in_its_validation_at_a_rung_is_measured_on_all_images(tmp_path, monkeypatch):
    measured = []

    def logits(forward, images, indices, after_batch):
        measured.append(len(indices))
        after_batch.__self__.session.end("stopped")
        return logits_of(forward, images, indices, after_batch)

    monkeypatch.setattr(validation, "logits_of", logits)
    heard = train(tmp_path, SMALL, data=many_validated(), judge_at=(128, 256))

    assert measured[0] < measured[1] == len(many_validated().validation)
    assert PARTIAL not in heard.ended.best_metrics


def test_trial_that_is_stopped_before_its_validation_at_a_rung_is_measured_on_all_images(tmp_path, monkeypatch):
    def stop(_self, _n_images, after_batch):
        after_batch.__self__.session.end("stopped")

    monkeypatch.setattr(HonestAverages, "recompute", stop)
    heard = train(tmp_path, SMALL, data=many_validated(), judge_at=(128, 256))

    assert heard.ended.ending == "stopped"
    assert PARTIAL not in heard.ended.best_metrics
