from __future__ import annotations

from pathlib import Path

import pytest
from training_talk import RESIDUAL, SMALL, action_at, digits, interrupt_after, train, train_command

from search.training import files
from search.training.callbacks.finite import Finite
from search.training.checkpoints import load_checkpoint
from search.training.hyperparameters import Hyperparameters
from search.training.session import Session
from search.training.state import TrialIdentity
from search.training.structures.kept import Structures
from search.training.structures.network import TrialNetwork

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
    judged = [{"epoch": event.epoch, "images": event.images, **event.metrics} for event in first.judged]
    assert (second.events[0].epoch, second.events[0].curve) == (2, judged)
    assert second.ended.seconds.setup > first.ended.seconds.setup


def test_trial_that_pauses_within_an_epoch_repeats_no_step(tmp_path):
    hyperparameters = {**SMALL, "batch_size": 16}  # 16 steps an epoch
    whole = train(tmp_path / "whole", hyperparameters)

    first = train(tmp_path / "parts", hyperparameters, answer=interrupt_after(1, "pause"))
    (newest, before) = files.checkpoints(tmp_path / "parts")
    second = train(tmp_path / "parts", hyperparameters, resume=True)

    assert before == 256 < newest < 512
    assert first.curve + second.curve == whole.curve
    seen = [[signs for event in heard.judged for signs in event.vitals] for heard in (whole, first, second)]
    assert seen[1] + seen[2] == seen[0]


@pytest.mark.parametrize(
    ("where", "rungs", "epoch"), [("after its last step", (), 2), ("in its validation", (60, 140), 0.25)]
)
def test_trial_that_pauses_at_the_end_of_a_stretch_repeats_no_step(tmp_path, monkeypatch, where, rungs, epoch):
    hyperparameters = {**TRIALS["batch norm, momentum, plateau, smoothing"], "epochs": 3}
    whole = train(tmp_path / "whole", hyperparameters, judge_at=rungs)

    pause_at(monkeypatch, where, epoch)
    first = train(tmp_path / "parts", hyperparameters, judge_at=rungs)
    is_validated = where == "in its validation"
    again = train(tmp_path / "parts", hyperparameters, judge_at=rungs, resume=True) if is_validated else None
    monkeypatch.undo()
    steps = count_steps(monkeypatch)
    second = train(tmp_path / "parts", hyperparameters, judge_at=rungs, resume=True)

    assert (first.ended.ending, first.ended.stands_at, first.ended.epochs < epoch) == ("paused", epoch, True)
    assert again is None or (again.curve, again.ended.stands_at) == ([], epoch)  # paused in its validation once more
    assert first.curve + second.curve == whole.curve
    assert parts(second) == parts(whole)
    assert len(steps) == 12 - 4 * epoch  # of three epochs with four steps each


def pause_at(monkeypatch, where, epoch):
    """The worker asks for a pause there."""
    listen = Session.listen

    def listen_and_be_asked(self, step):
        listen(self, step)
        stands_at = self.course.epochs_at(self.course.images_at(self.stretch.epoch, step))
        is_validated = self.stopwatch.phase == "validate"
        if stands_at == epoch and is_validated == (where == "in its validation"):
            self.end("paused")
            self.is_abandoned = True

    monkeypatch.setattr(Session, "listen", listen_and_be_asked)


def count_steps(monkeypatch):
    steps, train_step = [], TrialNetwork.train_step

    def counted(self, data):
        steps.append(len(data[1]))
        return train_step(self, data)

    monkeypatch.setattr(TrialNetwork, "train_step", counted)
    return steps


def test_checkpoint_within_an_epoch_is_what_a_crashed_trial_goes_on_from(tmp_path, monkeypatch):
    hyperparameters = {**RESIDUAL, "batch_size": 32, "epochs": 2}  # 8 steps an epoch
    whole = train(tmp_path / "whole", hyperparameters)
    crash_at(monkeypatch, epoch=1, step=6)
    with pytest.raises(RuntimeError, match="crash"):
        train(tmp_path / "parts", hyperparameters, checkpoint_seconds=0.0)
    monkeypatch.undo()

    newest = files.checkpoints(tmp_path / "parts")[0]
    second = train(tmp_path / "parts", hyperparameters, resume=True)

    assert newest == 256 + 5 * 32
    assert second.curve == whole.curve[1:]
    assert parts(second) == parts(whole)


def crash_at(monkeypatch, epoch, step):
    def crash(self, now, logs):
        if (self.session.state.epoch, now) == (epoch, step):
            raise RuntimeError("crash")

    monkeypatch.setattr(Finite, "step_ended", crash)


@pytest.mark.parametrize("hyperparameters", TRIALS.values(), ids=TRIALS)
def test_trial_that_paused_within_its_first_epoch_goes_on_to_the_same_curve(tmp_path, hyperparameters):
    rungs = (60, 140)  # reached by steps 1 and 3 of 4
    whole = train(tmp_path / "whole", hyperparameters, judge_at=rungs)

    first = train(tmp_path / "parts", hyperparameters, judge_at=rungs, answer=action_at(0.25, "pause"))
    second = train(tmp_path / "parts", hyperparameters, judge_at=rungs, resume=True, answer=action_at(0.75, "pause"))
    third = train(tmp_path / "parts", hyperparameters, judge_at=rungs, resume=True)

    assert [event.epoch for event in whole.judged] == [0.25, 0.75, 1, 2, 3, 4]
    assert [event.images for event in whole.judged] == [64, 192, 256, 512, 768, 1024]
    assert first.curve + second.curve + third.curve == whole.curve
    assert parts(third) == parts(whole)
    assert [heard.events[0].epoch for heard in (first, second, third)] == [0, 0.25, 0.75]


def test_rungs_do_not_change_what_is_trained(tmp_path):
    plain = train(tmp_path / "plain", RESIDUAL)
    judged = train(tmp_path / "judged", RESIDUAL, judge_at=(64, 128))

    validated = [
        [(m["val_loss"], m["val_accuracy"]) for m in heard.curve[-RESIDUAL["epochs"] :]] for heard in (plain, judged)
    ]
    assert validated[0] == validated[1]


@pytest.fixture
def paused(tmp_path):
    """The folder of a trial after two epochs, its identity, and a fresh network of its kind."""
    train(tmp_path, SMALL, answer=action_at(2, "pause"))
    hp = Hyperparameters.from_dict(SMALL)
    model = Structures().network(hp, (28, 28, 1), 10, None)
    model.begin(hp, seed=5)
    return tmp_path, TrialIdentity.of(train_command(tmp_path, SMALL), digits().fingerprint), model


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_f18_truncated_checkpoint_is_passed_over_for_the_one_before(paused, caplog, ending):
    folder, identity, model = paused
    newest, before = (folder / f"checkpoint-000000{images}.{ending}" for images in (512, 256))
    data, old = newest.read_bytes(), before.read_bytes()
    assert load_checkpoint(folder, identity, model).epoch == 2

    for eighth in range(8):
        newest.write_bytes(data[: len(data) * eighth // 8])
        assert load_checkpoint(folder, identity, model).epoch == 1
        before.write_bytes(old[: len(old) * eighth // 8])
        assert load_checkpoint(folder, identity, model) is None
        before.write_bytes(old)
    assert caplog.text.count("checkpoint at 512 images") == 16
    assert caplog.text.count("checkpoint at 256 images") == 8


def test_damaged_checkpoint_is_passed_over_for_the_one_before(paused, caplog):
    folder, identity, model = paused
    newest = folder / "checkpoint-000000512.npz"
    data = newest.read_bytes()

    newest.write_bytes(data[:-1000] + bytes(1000))
    assert load_checkpoint(folder, identity, model).epoch == 1
    newest.unlink()
    assert load_checkpoint(folder, identity, model).epoch == 1
    assert caplog.text.count("checkpoint at 512 images") == 2


def test_checkpoint_without_the_best_weights_it_speaks_of_is_passed_over(paused):
    folder, identity, model = paused
    for file in folder.glob("best-*.npz"):
        file.unlink()

    assert load_checkpoint(folder, identity, model) is None


def test_f18_trial_begins_anew_where_no_checkpoint_is_whole(tmp_path):
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


def test_trial_with_all_its_epochs_leaves_no_arrays_and_is_not_trained_further(tmp_path):
    first = train(tmp_path, SMALL)
    newest, before = sorted(tmp_path.glob("checkpoint-*.json"), reverse=True)
    assert not newest.with_suffix(".npz").exists()
    assert before.with_suffix(".npz").exists()

    again = train(tmp_path, SMALL, resume=True)

    assert parts(again) == parts(first)
    assert (again.ended.ending, again.curve) == ("finished", [])
    # Should its state be lost, it goes on from the judgement before.
    newest.unlink()
    assert train(tmp_path, SMALL, resume=True).curve == first.curve[-1:]


def test_command_without_resume_begins_anew(tmp_path):
    first = train(tmp_path, SMALL, answer=action_at(2, "pause"))

    assert train(tmp_path, SMALL).curve[:2] == first.curve


def test_trial_that_begins_anew_leaves_nothing_of_the_one_before(tmp_path):
    train(tmp_path, SMALL)
    assert files.checkpoints(tmp_path)[0] == 768

    heard = train(tmp_path, {**SMALL, "head_width": 48, "epochs": 2}, resume=True, answer=action_at(1, "pause"))

    assert heard.events[0].epoch == 0
    assert files.checkpoints(tmp_path) == [256]
    assert Path(heard.ended.weights).exists()
    assert Path(heard.ended.confusion).exists()
    assert train(tmp_path, {**SMALL, "head_width": 48, "epochs": 2}, resume=True).events[0].epoch == 1
