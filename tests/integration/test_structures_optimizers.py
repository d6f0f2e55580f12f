"""What the kept parts of a network are made of: the loss and the optimizers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from training_talk import SMALL

from search.training.hyperparameters import Hyperparameters
from search.training.structures import update
from search.training.structures.optimizers import Settings, make_optimizer
from search.training.structures.parts import smoothed_cross_entropy

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 3.0, 0.5]], dtype=np.float32)
LABELS = np.array([0, 2])


def parameters(**values):
    return Hyperparameters.from_dict({**SMALL, **values})


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_cross_entropy_is_that_of_the_smoothed_target(smoothing):
    log_p = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    target = (1 - smoothing) * np.eye(3)[LABELS] + smoothing / 3

    loss = smoothed_cross_entropy(LABELS, LOGITS, smoothing)

    np.testing.assert_allclose(loss, -(target * log_p).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("adam", lambda: keras.optimizers.Adam(0.01, weight_decay=0.1)),
        ("adamw", lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1)),
        ("sgd", lambda: keras.optimizers.SGD(0.01, momentum=0.8, weight_decay=0.1)),
    ],
)
def test_optimizer_moves_variables_as_keras_does(name, theirs):
    start = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    hp = parameters(optimizer=name, learning_rate=0.01, momentum=0.8, weight_decay=0.1)
    settings = Settings()
    settings.begin(hp)
    ours, expected = keras.Variable(start), keras.Variable(start)
    optimizer, reference = make_optimizer([ours], hp, settings), theirs()

    for step in range(5):
        gradient = keras.ops.convert_to_tensor(start * (step - 2))
        optimizer.apply([gradient], [ours])
        reference.apply([gradient], [expected])

    np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_weight_decay_spares_biases_and_batch_norm(optimizer):
    hp = parameters(optimizer=optimizer, weight_decay=0.5, learning_rate=0.1)
    settings = Settings()
    settings.begin(hp)
    kernel, bias = keras.Variable(np.ones((3, 2), "float32")), keras.Variable(np.ones(2, "float32"))

    made = make_optimizer([kernel, bias], hp, settings)
    made.apply([keras.ops.zeros((3, 2)), keras.ops.zeros(2)], [kernel, bias])

    np.testing.assert_allclose(kernel.numpy(), 1 - 0.5 * 0.1, rtol=1e-5)
    np.testing.assert_array_equal(bias.numpy(), 1.0)


def test_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match=r"`optimizer` must be one of adam, adamw, sgd, but got 'lion'"):
        make_optimizer([], parameters(optimizer="lion"), Settings())


def test_update_is_made_once_for_whoever_comes(monkeypatch):
    made = []

    def slowly(*arguments):
        made.append(arguments)
        time.sleep(0.2)
        return make_optimizer(*arguments)

    monkeypatch.setattr(update, "make_optimizer", slowly)
    settings, hp = Settings(), parameters(optimizer="sgd", learning_rate=0.5, momentum=0.0)
    settings.begin(hp)
    kernel = keras.Variable(np.ones((3, 2), "float32"))
    one = update.Update([kernel], 0, hp, settings)
    one.restart()
    assert made == []

    with ThreadPoolExecutor(4) as others:
        optimizers = {id(future.result()) for future in [others.submit(one.prepare) for _ in range(4)]}
        norm, share = one([keras.ops.ones((3, 2))]).numpy()

    assert len(made) == len(optimizers) == 1
    np.testing.assert_allclose(kernel.numpy(), 0.5)
    assert (norm, share) == pytest.approx((6**0.5, 0.5))


def test_restart_puts_what_is_made_to_zero():
    settings, hp = Settings(), parameters(optimizer="adam", learning_rate=0.1)
    settings.begin(hp)
    one = update.Update([keras.Variable(np.ones((3, 2), "float32"))], None, hp, settings)

    one([keras.ops.ones((3, 2))])
    assert any(variable.numpy().any() for variable in one.state)
    one.restart()

    assert not any(variable.numpy().any() for variable in one.state)
