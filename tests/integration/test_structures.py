from __future__ import annotations

import keras
import numpy as np
import pytest
from training_talk import RESIDUAL, SMALL, digits, train

from search.training.hyperparameters import Hyperparameters
from search.training.models import build_model
from search.training.process import resident_memory
from search.training.structures import kept, parts, update
from search.training.structures.kept import N_HEADS, Structures
from search.training.structures.parts import Backbone

OTHER = {"learning_rate": 2e-4, "dropout": 0.4, "batch_size": 32, "label_smoothing": 0.1, "weight_decay": 1e-3}


OWN = """
import keras

def attentive(input_shape, hyperparameters):
    images = keras.Input(input_shape)
    rows = keras.layers.Reshape((28, 28))(images)
    return keras.Model(images, keras.layers.Flatten()(keras.layers.MultiHeadAttention(2, 4)(rows, rows)))

def nothing(input_shape, hyperparameters):
    images = keras.Input(input_shape)
    return keras.Model(images, keras.layers.Flatten()(images))
"""


@pytest.fixture
def builders(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    return str(tmp_path)


def parameters(**values):
    return Hyperparameters.from_dict({**SMALL, **values})


@pytest.mark.parametrize(
    ("network", "optimizer"),
    [
        (SMALL, "adam"),
        (SMALL, "sgd"),
        (RESIDUAL, "adam"),
        ({**RESIDUAL, "batch_norm": "keras"}, "sgd"),  # averages that go on from step to step
        ({**SMALL, "architecture": "VGG16", "blocks": 2, "image_size": 32}, "adam"),
    ],
)
def test_warm_trial_has_exactly_the_curve_of_a_cold_one(tmp_path, network, optimizer):
    trial = {**network, "optimizer": optimizer, "epochs": 2}
    cold = train(tmp_path / "cold", trial)
    structures = Structures()
    train(tmp_path / "before", {**trial, **OTHER}, seed=9, structures=structures)
    train(tmp_path / "wider", {**trial, "head_width": 48}, structures=structures)

    warm = train(tmp_path / "warm", trial, structures=structures)

    assert warm.curve == cold.curve


def test_kept_parts_make_networks_as_large_as_those_that_are_exported():
    structures = Structures()
    trials = [SMALL, {**SMALL, "head_width": 48}, RESIDUAL, SMALL]
    shape = (28, 28, 1)

    trained = [structures.network(parameters(**trial), shape, 10, None).count_params() for trial in trials]

    assert trained == [build_model(parameters(**trial), shape, 10, None).count_params() for trial in trials]
    assert len(set(trained)) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "image_size"),
    [
        ("VGG19", 32),
        ("MobileNet", 32),
        ("MobileNetV2", 32),
        ("MobileNetV3Small", 32),
        ("EfficientNetB0", 32),
        ("EfficientNetV2B0", 32),
        ("DenseNet121", 32),
        ("ResNet50", 32),
        ("ResNet50V2", 32),
        ("InceptionV3", 75),
        ("InceptionResNetV2", 75),
        ("Xception", 71),
        ("NASNetMobile", 32),
        ("ConvNeXtTiny", 32),
    ],
)
def test_warm_trial_of_each_family_has_exactly_the_curve_of_a_cold_one(tmp_path, architecture, image_size):
    blocks = 5 if architecture == "VGG19" else None
    network = {**SMALL, "architecture": architecture, "blocks": blocks, "image_size": image_size}
    trial = {**network, "learning_rate": 1e-4, "batch_size": 16, "epochs": 1}
    data, structures = digits(48), Structures()

    cold = train(tmp_path / "cold", trial, data=data, structures=structures)
    train(tmp_path / "between", {**trial, **OTHER, "head_width": 48}, data=data, seed=9, structures=structures)
    warm = train(tmp_path / "warm", trial, data=data, structures=structures)

    assert warm.curve == cold.curve


def test_trial_of_its_own_seed_is_another_trial(tmp_path):
    structures = Structures()

    one = train(tmp_path / "one", SMALL, seed=1, structures=structures)
    other = train(tmp_path / "other", SMALL, seed=2, structures=structures)

    assert one.curve != other.curve


def test_cold_trial_traces_each_pass_once(tmp_path, monkeypatch):
    calls, call = [], Backbone._call

    def counted(self, images, *, training):
        calls.append(training)
        return call(self, images, training=training)

    monkeypatch.setattr(Backbone, "_call", counted)

    train(tmp_path, RESIDUAL, judge_at=(100,))

    assert sorted(calls) == [False, True]


def test_numbers_of_a_trial_trace_nothing(tmp_path, monkeypatch):
    structures, trial = Structures(), {**RESIDUAL, "weight_decay": 1e-4, "epochs": 2}
    train(tmp_path / "cold", trial, structures=structures)

    def refuse(*_):
        raise AssertionError("traced again")

    for module, name in ((parts, "traced"), (parts, "both_passes"), (parts, "with_gradients"), (update, "traced")):
        monkeypatch.setattr(module, name, refuse)
    train(tmp_path / "warm", {**trial, **OTHER, "schedule": "cosine", "momentum": 0.5}, structures=structures)

    with pytest.raises(AssertionError, match="traced again"):
        train(tmp_path / "wider", {**trial, "head_width": 48}, structures=structures)


def test_new_head_leaves_the_backbone_as_it_is():
    structures = Structures()
    first = structures.network(parameters(), (28, 28, 1), 10, None)

    second = structures.network(parameters(head_width=48, learning_rate=0.1), (28, 28, 1), 10, None)

    assert second.backbone is first.backbone
    assert second.head is not first.head


def test_weights_are_in_the_order_of_the_exported_network():
    hp = Hyperparameters.from_dict(RESIDUAL)
    network = Structures().network(hp, (28, 28, 1), 10, None)
    network.begin(hp, seed=3)
    model = build_model(hp, (28, 28, 1), 10)
    for variable, value in zip(model.weights, network.weights, strict=True):
        variable.assign(value)

    images = digits().images[:16]

    np.testing.assert_allclose(model(images, training=False), network.forward(images), atol=1e-5)
    assert network.count_params() == model.count_params()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_step_in_micro_batches_is_that_of_the_whole_batch(optimizer):
    hp = parameters(dropout=0.0, optimizer=optimizer, label_smoothing=0.1)
    network = Structures().network(hp, (28, 28, 1), 10, None)
    step = (digits().images[:50], digits().labels[:50])  # 16, 16, 16 and 2 of them
    seen = []
    for micro_batch in (None, 16):
        network.begin(hp, seed=3, micro_batch=micro_batch)
        network.reset_metrics()
        logs = [network.train_step(step) for _ in range(3)][-1]
        seen.append((logs, network.signs(), network.get_weights()))

    (whole, signs, weights), (in_parts, their_signs, their_weights) = seen
    assert in_parts == pytest.approx(whole, rel=1e-4)
    assert their_signs["gradient_first"] == pytest.approx(signs["gradient_first"], rel=1e-3)
    for ours, theirs in zip(weights, their_weights, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_weights_within_layers_of_layers_come_from_the_seed(builders):
    hp, kernels = parameters(architecture="mine:attentive"), []
    for seed in (1, 2):
        network = Structures().network(hp, (28, 28, 1), 10, builders)
        network.begin(hp, seed)
        kernels.append([np.array(weight) for weight in network.trainable_variables if np.array(weight).any()])

    assert len(kernels[0]) == 4 + 2  # query, key, value and output; dense and logits
    for one, other in zip(*kernels, strict=True):
        assert not np.array_equal(one, other)


def test_backbone_without_weights_is_trained_by_its_head(tmp_path, builders):
    trial = {**SMALL, "architecture": "mine:nothing"}

    heard = train(tmp_path / "trial", trial, data=digits(1024), builders=builders)

    assert heard.ended.best_value > 0.6


@pytest.mark.parametrize(
    ("optimizer", "theirs"),
    [
        ("adam", lambda: keras.optimizers.Adam(0.01)),
        ("sgd", lambda: keras.optimizers.SGD(0.01, momentum=0.8)),
    ],
)
def test_steps_are_those_of_keras(optimizer, theirs):
    hp = parameters(dropout=0.0, optimizer=optimizer, learning_rate=0.01, momentum=0.8)
    network = Structures().network(hp, (28, 28, 1), 10, None)
    network.begin(hp, seed=3)
    model = build_model(hp, (28, 28, 1), 10)
    model.set_weights(network.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(theirs(), loss)

    for start in range(0, 200, 50):
        images, labels = digits().images[start : start + 50], digits().labels[start : start + 50]
        network.train_step((images, labels))
        model.train_on_batch(images, labels)

    for ours, expected in zip(network.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=2e-4)


def test_error_between_the_passes_comes_out_as_it_was(monkeypatch):
    network = Structures().network(parameters(), (28, 28, 1), 10, None)
    network.begin(parameters(), seed=3)
    step, before = (digits().images[:8], digits().labels[:8]), network.get_weights()
    error = MemoryError("no room for the head")

    def fail(*_):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(network._parts[1], "derive", fail)
        with pytest.raises(MemoryError, match="no room for the head"):
            network.train_step(step)
    for value, old in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)

    network.train_step(step)
    assert network.signs() is not None


def test_memory_bound_forgets_what_was_used_longest_ago(tmp_path):
    structures = Structures()
    train(tmp_path / "one", {**SMALL, "epochs": 1}, structures=structures)
    before = structures.network(parameters(), (28, 28, 1), 10, None).backbone

    structures.shrink(2**62)
    assert structures.network(parameters(), (28, 28, 1), 10, None).backbone is before
    structures.shrink(0)
    assert structures.network(parameters(), (28, 28, 1), 10, None).backbone is not before


def test_of_two_backbones_the_one_used_last_stays(monkeypatch):
    structures = Structures()
    trials = [parameters(), Hyperparameters.from_dict(RESIDUAL)]
    first, second = (structures.network(hp, (28, 28, 1), 10, None).backbone for hp in trials)
    assert structures.network(trials[0], (28, 28, 1), 10, None).backbone is first

    monkeypatch.setattr(kept, "_occupied", lambda: len(structures._heads) + len(structures._backbones))
    structures.shrink(1)

    assert structures.network(trials[0], (28, 28, 1), 10, None).backbone is first
    assert structures.network(trials[1], (28, 28, 1), 10, None).backbone is not second


def test_heads_used_last_stay():
    structures = Structures()
    widths = range(8, 8 * (N_HEADS + 2), 8)
    heads = [structures.network(parameters(head_width=width), (28, 28, 1), 10, None).head for width in widths]

    structures.shrink(2**62)

    again = [structures.network(parameters(head_width=width), (28, 28, 1), 10, None).head for width in widths]
    assert [one is other for one, other in zip(heads, again, strict=True)] == [False] + [True] * N_HEADS


def test_large_batch_of_the_past_drives_no_network_out(tmp_path):
    structures = Structures()
    train(tmp_path / "one", {**SMALL, "epochs": 1}, structures=structures)
    before = structures.network(parameters(), (28, 28, 1), 10, None).backbone
    bound = resident_memory() + 2**29

    large = keras.ops.ones((2**28,))  # a GiB, which TensorFlow does not give back
    del large
    structures.shrink(bound)

    assert structures.network(parameters(), (28, 28, 1), 10, None).backbone is before
