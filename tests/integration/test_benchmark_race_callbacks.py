"""What the race adds to the peers' trainings, on a small real network."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from search.training.batch_norm import HonestAverages
from search.training.checkpoints import load_weights
from search.training.models import batch_norm_layers

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def racing():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        from racing import board, callbacks
    return SimpleNamespace(board=board, callbacks=callbacks)


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).integers(0, 256, (96, 8, 8, 1), dtype=np.uint8)
    return SimpleNamespace(images=images, labels=np.arange(96) % 3, train=np.arange(64), validation=np.arange(64, 96))


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return network


def fit(model, data, callbacks, epochs=2):
    return model.fit(
        data.images[data.train], data.labels[data.train], batch_size=16, epochs=epochs, verbose=0, callbacks=callbacks,
        validation_data=(data.images[data.validation], data.labels[data.validation]),
    )  # fmt: skip


def averages(model):
    [layer] = batch_norm_layers(model)
    return np.concatenate([layer.moving_mean.numpy(), layer.moving_variance.numpy()])


def test_honest_validation_leaves_the_averages_of_the_last_weights(racing, data, model):
    fit(model, data, [racing.callbacks.HonestValidation(data, seed=5)])

    found = averages(model)
    forward = racing.callbacks.forward_of_moments(model)
    HonestAverages(model, forward, data.images, data.train, seed=5).recompute()
    assert found == pytest.approx(averages(model), rel=1e-5)


def test_without_it_the_averages_lag(racing, data, model):
    fit(model, data, [])

    found = averages(model)
    forward = racing.callbacks.forward_of_moments(model)
    HonestAverages(model, forward, data.images, data.train, seed=5).recompute()
    assert found != pytest.approx(averages(model), rel=0.1)


def test_training_keeps_its_momentum(racing, data, model):
    forward = racing.callbacks.forward_of_moments(model)
    fit(model, data, [], epochs=1)
    found = averages(model)[4:]

    HonestAverages(model, forward, data.images, data.train, seed=0).recompute()
    # Four steps of a hundredth; without momentum they would be the variances of the last batch.
    assert (found < 0.1 * averages(model)[4:]).all()


def test_honest_validation_without_batch_norm_does_nothing(racing, data):
    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("sgd", loss, metrics=["accuracy"])

    history = fit(network, data, [racing.callbacks.HonestValidation(data, seed=0)], epochs=1)

    assert "val_accuracy" in history.history


def test_board_keeps_the_weights_of_the_best(racing, data, model, tmp_path):
    board = racing.board.Board(tmp_path, time.time() - 10)
    board.add(0, 1, 0.5, {"dropout": 0.5}, model)
    best = [weight.numpy() for weight in model.weights]
    fit(model, data, [], epochs=1)
    board.add(1, 1, 0.4, {}, model)

    scores = racing.board.read_scores(tmp_path / racing.board.SCORES)
    kept = json.loads((tmp_path / racing.board.BEST).read_text())
    load_weights(tmp_path / kept["weights"], model)
    assert [(score.trial, score.value, score.seconds >= 10) for score in scores] == [(0, 0.5, True), (1, 0.4, True)]
    assert (kept["value"], kept["hyperparameters"]) == (0.5, {"dropout": 0.5})
    assert all(np.array_equal(one.numpy(), other) for one, other in zip(model.weights, best, strict=True))


def test_report_writes_each_epoch_down(racing, data, model, tmp_path):
    board = racing.board.Board(tmp_path, time.time())
    history = fit(model, data, [racing.callbacks.Report(board, 7, {})])

    scores = racing.board.read_scores(tmp_path / racing.board.SCORES)
    assert [(score.trial, score.epoch) for score in scores] == [(7, 1), (7, 2)]
    assert [score.value for score in scores] == history.history["val_accuracy"]
