"""The vital signs of real networks, and what becomes of those that die and those that are slow."""

from __future__ import annotations

import numpy as np
import pytest
from training_talk import SMALL, digits, train

from search.training.errors import CollapsedError
from search.training.hyperparameters import Hyperparameters
from search.training.structures.kept import Structures
from search.training.vitals.examination import Examination

DEEP = {
    **SMALL,
    "architecture": "VGG16",
    "blocks": 2,
    "image_size": 32,
    "head_layers": 2,
    "head_width": 256,
    "dropout": 0.5,
    "dropout_at": "each",
    "batch_size": 8,
}


def begun(**values):
    hp = Hyperparameters.from_dict({**SMALL, "dropout": 0.0, **values})
    network = Structures().network(hp, (28, 28, 1), 10, None)
    network.begin(hp, seed=3)
    return network


def kernels(network):
    return [np.array(variable) for variable in network.trainable_variables if len(variable.shape) > 1]


def cross_entropy(logits, labels):
    largest = logits.max(axis=1)
    normaliser = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
    return (normaliser - logits[np.arange(len(labels)), labels]).mean()


def test_signs_are_those_of_the_step():
    rate = 0.01
    network = begun(optimizer="sgd", momentum=0.0, learning_rate=rate)
    images, labels = digits().images[:32], digits().labels[:32]
    logits, before = network.forward(images), kernels(network)

    network.train_step((images, labels))

    # Plain gradient descent: the change of a kernel is the rate times its gradient.
    changes = [np.linalg.norm(new - old) for new, old in zip(kernels(network), before, strict=True)]
    assert network.signs() == {
        "loss": pytest.approx(cross_entropy(logits, labels), rel=1e-4),
        "spread": pytest.approx(logits.std(axis=0).mean(), rel=1e-4),
        "gradient_first": pytest.approx(changes[0] / rate, rel=1e-3),
        "gradient_last": pytest.approx(changes[-1] / rate, rel=1e-3),
        "update_ratio": pytest.approx(changes[0] / np.linalg.norm(before[0]), rel=1e-3),
        "dead_units": 0.0,
    }


def test_loss_among_the_signs_is_that_without_smoothing():
    network = begun(label_smoothing=0.3)
    images, labels = digits().images[:32], digits().labels[:32]
    logits = network.forward(images)

    logs = network.train_step((images, labels))

    assert network.signs()["loss"] == pytest.approx(cross_entropy(logits, labels), rel=1e-4)
    assert logs["loss"] != pytest.approx(network.signs()["loss"], rel=1e-3)


@pytest.mark.parametrize(("batch_size", "micro_batch"), [(1, None), (4, 1)])
def test_images_taken_one_at_a_time_show_no_signs(batch_size, micro_batch):
    network = begun()
    network.begin(Hyperparameters.from_dict(SMALL), seed=3, micro_batch=micro_batch)

    network.train_step((digits().images[:batch_size], digits().labels[:batch_size]))

    assert network.signs() is None


def test_trial_of_single_images_is_told_no_story_of_its_answers(tmp_path):
    heard = train(tmp_path, {**SMALL, "batch_size": 1, "epochs": 1}, data=digits(64))

    assert heard.judged[0].vitals == []


def test_units_that_are_zero_for_the_whole_batch_are_dead():
    network = begun(architecture="VGG16", blocks=2, image_size=32)
    images = digits().images[:32]
    bias = network.backbone.trainable_variables[-1]
    bias.assign(np.where(np.arange(bias.shape[0]) < 30, -1e3, 0.0))
    features = np.array(network.backbone(network.preprocessing(images)))

    network.train_step((images, digits().labels[:32]))

    share = (features == 0).all(axis=0).mean()
    assert 30 / 128 <= share < 1
    assert network.signs()["dead_units"] == pytest.approx(share, abs=0.01)


def test_dead_network_ends_within_steps(tmp_path):
    with pytest.raises(CollapsedError, match=r"Dead since step \d+: .*Try 0\.001") as caught:
        train(tmp_path, {**DEEP, "learning_rate": 1e-2})

    assert caught.value.vitals[-1]["step"] < 32  # in the middle of its first epoch
    assert caught.value.vitals[-1]["gradient_first"] == 0.0


def test_slow_starter_is_left_alone(tmp_path):
    """Its loss is that of guessing for the whole first epoch, as a dead network's is."""
    heard = train(tmp_path, {**SMALL, "learning_rate": 1e-5, "batch_size": 16, "epochs": 2})

    first = heard.judged[0]
    assert all(abs(signs["loss"] - np.log(10)) < 0.3 for signs in first.vitals)
    assert heard.ended.ending == "finished"
    assert heard.judged[-1].story.startswith("Slow, but not dead")
    assert heard.judged[-1].condition == "slow_starter"


def test_slow_starter_is_not_stopped_for_want_of_patience(tmp_path):
    """Each epoch has four steps."""
    heard = train(tmp_path, {**SMALL, "learning_rate": 2e-7, "patience": 1, "epochs": 20})

    assert [event.condition for event in heard.judged] == ["starting"] * 2 + ["slow_starter"] * 18
    assert heard.ended.ending == "finished"


def test_steps_that_stay_too_small_are_stopped_for_want_of_patience(tmp_path):
    """Each epoch has 64 steps; after 300 they are not called a slow start any more."""
    heard = train(tmp_path, {**SMALL, "learning_rate": 2e-7, "batch_size": 4, "patience": 1, "epochs": 12})

    assert [event.condition for event in heard.judged[:4]] == ["slow_starter"] * 4
    assert heard.judged[-1].condition == "learning_rate_low"
    assert heard.ended.ending == "early_stopped"
    assert 5 <= heard.ended.epochs <= 8


@pytest.mark.parametrize("condition", ["slow_starter", "never_started"])
def test_scores_better_than_guessing_count_whatever_the_losses_say(tmp_path, monkeypatch, condition):
    """As where labels are wrong so often that the best loss there is is hardly below that of guessing."""
    monkeypatch.setattr(Examination, "_condition", lambda _: condition)

    heard = train(tmp_path, SMALL, data=digits(1024))

    assert heard.judged[-1].metrics["val_accuracy"] > 0.5
    assert (heard.judged[-1].condition, heard.judged[-1].story) == ("learning", "")
