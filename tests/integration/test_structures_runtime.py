"""What the trainer asks of TensorFlow beneath Keras."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from search.training.tensorflow_runtime import assign, dropout, traced, unoptimized, value_of


def variable(value: list[float]) -> keras.Variable:
    return keras.Variable(np.array(value, "float32"))


def test_values_that_are_assigned_are_copied():
    one, other = variable([1.0, 2.0]), variable([3.0])
    values = [np.array([5.0, 6.0], "float32"), np.array([7.0], "float32")]

    assign([one, other], values)
    values[0][0] = 9.0

    assert value_of(one).tolist() == [5.0, 6.0]
    assert value_of(other).tolist() == [7.0]


@pytest.mark.parametrize(
    "values",
    [[np.zeros(3, "float32")], [], [np.zeros(2, "float32")] * 2],
    ids=["another shape", "too few", "too many"],
)
def test_values_that_do_not_fit_are_refused(values):
    one = variable([1.0, 2.0])

    with pytest.raises(ValueError, match=r"shape|shorter|longer"):
        assign([one], values)


def runs_as_traced() -> bool:
    """Whether this thread's calls have their graphs run as they were traced."""
    config = context.context().function_call_options.config_proto_serialized
    options = tf.compat.v1.ConfigProto.FromString(config).graph_options.rewrite_options
    return bool(options.disable_meta_optimizer)


def test_unoptimized_function_gives_the_same_and_leaves_the_options():
    double = traced(lambda x: 2.0 * x, ((None,), "float32"))
    before = context.context().function_call_options
    seen = []

    def watched(x):
        with ThreadPoolExecutor(1) as other:
            seen.extend([runs_as_traced(), other.submit(runs_as_traced).result()])
        return double(x)

    result = unoptimized(watched)(np.array([1.0, 4.0], "float32"))

    assert result.numpy().tolist() == [2.0, 8.0]
    assert seen == [True, False]
    assert context.context().function_call_options is before
    assert not runs_as_traced()


def test_options_are_put_back_after_an_error():
    def fail(x):
        raise KeyError(x)

    with pytest.raises(KeyError):
        unoptimized(fail)(1)

    assert not runs_as_traced()


@pytest.fixture(scope="module")
def dropped():
    """Values, a rate and a seed to what is left of the values, as one graph function for every rate."""
    generator = keras.random.SeedGenerator(0)
    run = traced(lambda x, rate: dropout(x, rate, generator), ((None, 300), "float32"), ((), "float32"))

    def at_rate(x, rate, seed):
        generator.state.assign([seed, 0])
        return run(x, np.float32(rate)).numpy()

    return at_rate


def test_dropout_zeroes_at_the_rate_of_now_and_keeps_the_mean(dropped):
    values = np.random.default_rng(0).uniform(1.0, 2.0, (200, 300)).astype("float32")

    left = dropped(values, 0.4, 1)

    assert np.mean(left == 0.0) == pytest.approx(0.4, abs=0.01)
    assert left[left > 0] == pytest.approx(values[left > 0] / 0.6)
    assert left.mean() == pytest.approx(values.mean(), rel=0.01)
    # Each image has zeros of its own, each seed others, and one seed the same ones again.
    assert not np.array_equal(left[0] == 0.0, left[1] == 0.0)
    assert not np.array_equal(left, dropped(values, 0.4, 2))
    assert np.array_equal(left, dropped(values, 0.4, 1))


def test_dropout_at_rate_zero_leaves_every_bit(dropped):
    values = np.random.default_rng(0).normal(size=(50, 300)).astype("float32")

    assert np.array_equal(dropped(values, 0.0, 1), values)
