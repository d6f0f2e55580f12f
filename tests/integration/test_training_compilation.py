from __future__ import annotations

import keras
import numpy as np
import pytest
from training_talk import SMALL

from search.training.compilation import CrossEntropy, compile_model
from search.training.hyperparameters import Hyperparameters

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 3.0, 0.5]], dtype=np.float32)
LABELS = np.array([0, 2])


def parameters(**values):
    return Hyperparameters.from_dict({**SMALL, **values})


def small_model():
    inputs = keras.Input((4,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs))
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_cross_entropy_is_that_of_the_smoothed_target(smoothing):
    log_p = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    target = (1 - smoothing) * np.eye(3)[LABELS] + smoothing / 3

    assert float(CrossEntropy(smoothing)(LABELS, LOGITS)) == pytest.approx(-(target * log_p).sum(axis=1).mean())


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_weight_decay_spares_biases_and_batch_norm(optimizer):
    keras.utils.set_random_seed(0)
    model = small_model()
    compile_model(model, parameters(optimizer=optimizer, weight_decay=0.5, learning_rate=0.1))
    before = [variable.numpy() for variable in model.trainable_variables]

    zero = [np.zeros_like(value) for value in before]
    model.optimizer.apply([keras.ops.convert_to_tensor(value) for value in zero], model.trainable_variables)

    for variable, value in zip(model.trainable_variables, before, strict=True):
        kept = 1 - 0.5 * 0.1 if value.ndim > 1 else 1.0
        np.testing.assert_allclose(variable.numpy(), kept * value, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_no_weight_decay_decays_nothing(optimizer):
    model = small_model()
    compile_model(model, parameters(optimizer=optimizer, weight_decay=0.0, learning_rate=0.1))
    before = [variable.numpy() for variable in model.trainable_variables]

    model.optimizer.apply(
        [keras.ops.zeros_like(variable) for variable in model.trainable_variables], model.trainable_variables
    )

    for variable, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_optimizer_has_its_variables_before_the_first_step():
    model = small_model()
    compile_model(model, parameters())

    assert model.optimizer.built


def test_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match=r"`optimizer` must be one of adam, adamw, sgd, but got 'lion'"):
        compile_model(small_model(), parameters(optimizer="lion"))
