from __future__ import annotations

import pytest
from training_talk import RESIDUAL, SMALL, action_at, interrupt_after, train

TRIALS = {
    "dropout, augmentation, cosine, decay": {
        **SMALL,
        "augment": "shift_rotate",
        "schedule": "cosine",
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "epochs": 4,
    },
    "batch norm, momentum, plateau, smoothing": {
        **RESIDUAL,
        "optimizer": "sgd",
        "learning_rate": 0.02,
        "schedule": "plateau",
        "patience": 3,
        "label_smoothing": 0.1,
        "epochs": 4,
    },
}


def parts(heard):
    ended = heard.ended
    return ended.ending, ended.epochs, ended.best_epoch, ended.best_value, ended.best_metrics


@pytest.mark.parametrize("hyperparameters", TRIALS.values(), ids=TRIALS)
@pytest.mark.parametrize(
    "pause",
    [action_at(2, "pause"), interrupt_after(2, "pause")],
    ids=["at the end of an epoch", "in the middle of the next"],
)
def test_continued_trial_has_the_curve_of_an_uninterrupted_one(tmp_path, hyperparameters, pause):
    whole = train(tmp_path / "whole", hyperparameters)

    first = train(tmp_path / "parts", hyperparameters, answer=pause)
    second = train(tmp_path / "parts", hyperparameters, resume=True)

    assert first.curve + second.curve == whole.curve
    assert parts(second) == parts(whole)
    assert second.events[0].epoch == 2
    assert second.ended.seconds.setup > first.ended.seconds.setup


@pytest.mark.parametrize("eighth", range(8))
def test_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path, eighth, caplog):
    first = train(tmp_path, {**SMALL, "epochs": 3}, answer=action_at(2, "pause"))
    newest = tmp_path / "checkpoint-0002.npz"
    data = newest.read_bytes()
    newest.write_bytes(data[: len(data) * eighth // 8])

    second = train(tmp_path, {**SMALL, "epochs": 3}, resume=True)

    assert second.events[0].epoch == 1
    assert second.curve[0] == first.curve[1]
    assert "checkpoint of epoch 2" in caplog.text


def test_trial_begins_anew_where_no_checkpoint_is_whole(tmp_path):
    first = train(tmp_path, SMALL, answer=action_at(2, "pause"))
    for manifest in tmp_path.glob("checkpoint-*.json"):
        manifest.write_text(manifest.read_text()[:-9])

    second = train(tmp_path, SMALL, resume=True)

    assert second.events[0].epoch == 0
    assert second.curve[:2] == first.curve


def test_checkpoint_of_another_trial_is_not_continued(tmp_path):
    train(tmp_path, SMALL, answer=action_at(2, "pause"))

    assert train(tmp_path, SMALL, resume=True, seed=2).events[0].epoch == 0


def test_trial_that_has_ended_is_not_trained_further(tmp_path):
    stalled = {**SMALL, "learning_rate": 1e-12, "patience": 1, "epochs": 5}
    first = train(tmp_path, stalled)
    again = train(tmp_path, stalled, resume=True)

    assert parts(again) == parts(first)
    assert (again.ended.ending, again.curve) == ("early_stopped", [])


def test_command_without_resume_begins_anew(tmp_path):
    first = train(tmp_path, SMALL, answer=action_at(2, "pause"))

    assert train(tmp_path, SMALL).curve[:2] == first.curve
