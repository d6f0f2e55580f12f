from __future__ import annotations

import keras
import numpy as np
import pytest
from training_talk import RESIDUAL, SMALL, digits, train

from search.training.batch_norm import HonestAverages, sample_size
from search.training.hyperparameters import Hyperparameters
from search.training.models import batch_norm_layers, build_model
from search.training.structures.kept import forget_models
from search.training.tensorflow_runtime import compiled_forward


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (600, 6, 6, 1), dtype=np.uint8)


def averages(model, images, indices):
    """Averages over passes that leave the moments of their own batch, as those of a trial do."""
    for layer in batch_norm_layers(model):
        layer.momentum = 0.0
    return HonestAverages(model, compiled_forward(model, training=True), images, indices, seed=0)


def normalised():
    forget_models()
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 1), dtype="float32")
    maps = keras.layers.Conv2D(3, 3)(inputs)
    maps = keras.layers.Dropout(0.5)(maps)
    maps = keras.layers.BatchNormalization(name="norm")(maps)
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(maps)))


def test_averages_are_those_of_the_images(images):
    inputs = keras.Input((6, 6, 1))
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(inputs))
    layer = model.get_layer("norm")

    averages(model, images, np.arange(512)).recompute()

    assert layer.moving_mean.numpy()[0] == pytest.approx(images[:512].mean(), rel=1e-4)
    assert layer.moving_variance.numpy()[0] == pytest.approx(images[:512].var(), rel=1e-4)


def test_nothing_but_the_averages_changes(images):
    model = normalised()
    layer = model.get_layer("norm")
    own = {id(layer.moving_mean), id(layer.moving_variance)}
    others = [variable for variable in model.variables if id(variable) not in own]
    before = [variable.numpy() for variable in others]

    averages(model, images, np.arange(600)).recompute()

    for variable, value in zip(others, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert layer.moving_mean.numpy().any()


def test_interrupted_recomputation_leaves_the_averages_as_they_were(images):
    model = normalised()
    layer = model.get_layer("norm")

    averages(model, images, np.arange(600)).recompute(after_batch=lambda: False)

    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0.0)
    np.testing.assert_array_equal(layer.moving_variance.numpy(), 1.0)


def test_model_without_batch_norm_is_left_alone(images):
    model = build_model(Hyperparameters.from_dict(SMALL), (28, 28, 1), 10, None)

    averages(model, digits().images, digits().train).recompute()

    assert compiled_forward(model, training=False)(digits().images[:3]).shape == (3, 10)


def test_frozen_layers_keep_their_averages(images):
    model = normalised()
    model.get_layer("norm").trainable = False

    averages(model, images, np.arange(600)).recompute()

    np.testing.assert_array_equal(model.get_layer("norm").moving_mean.numpy(), 0.0)


def test_few_images_are_enough_for_one_batch(images):
    averages(normalised(), images, np.arange(5)).recompute()


def test_honest_scores_show_what_lagging_averages_hide(tmp_path):
    trial = {**RESIDUAL, "dropout": 0.0, "learning_rate": 5e-3, "epochs": 2}
    honest = train(tmp_path / "honest", trial, data=digits(1024)).curve
    keras_own = train(tmp_path / "keras", {**trial, "batch_norm": "keras"}, data=digits(1024)).curve

    # The weights are the same in both; only what validation says of them differs.
    for name in ("loss", "accuracy"):
        assert [epoch[name] for epoch in honest] == [epoch[name] for epoch in keras_own]
    assert honest[1]["val_accuracy"] >= honest[1]["accuracy"] - 0.05
    assert keras_own[1]["val_accuracy"] < honest[1]["val_accuracy"] - 0.2


@pytest.mark.parametrize(("trained", "n"), [(100, 256), (1504, 256), (3008, 376), (9024, 1024), (700_000, 1024)])
def test_averages_cost_a_part_of_the_training_that_is_judged(trained, n):
    assert sample_size(trained) == n


def test_fewer_images_are_the_first_batches_of_the_sample(images):
    model = normalised()
    few, all_of_them = averages(model, images, np.arange(600)), averages(model, images, np.arange(600))
    seen = []
    few.recompute(256, lambda: seen.append(1) is None)
    all_of_them.recompute(after_batch=lambda: seen.append(2) is None)

    assert seen == [1, 1, 2, 2, 2, 2]
