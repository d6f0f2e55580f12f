"""The fused layer against Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.training.tensorflow_runtime import FusedBatchNormalization, fuse

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(3, 2, (16, 5, 6, 4)).astype("float32")
SLOPES = RNG.normal(size=IMAGES.shape).astype("float32")


def pair(**options):
    """Keras' layer and a fused one, with the same weights."""
    made = []
    for _ in range(2):
        layer = keras.layers.BatchNormalization(**options)
        layer.build(IMAGES.shape)
        for place, variable in enumerate(layer.weights):
            variable.assign(np.random.default_rng(place).uniform(0.5, 1.5, variable.shape))
        made.append(layer)
    fuse(made[1])
    return made


def passes(layer, images, slopes, **more):
    """Outputs, gradients with respect to images and weights, and the averages afterwards."""
    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True, **more)
    weights = [variable.value for variable in layer.trainable_variables]
    gradients = tape.gradient(outputs, [inputs, *weights], output_gradients=tf.constant(slopes))
    return [one.numpy() for one in (outputs, *gradients, layer.moving_mean, layer.moving_variance)]


def operations(layer, shape):
    """Types of the operations of its training pass."""
    traced = tf.function(lambda inputs: layer(inputs, training=True), autograph=False)
    return {one.type for one in traced.get_concrete_function(tf.TensorSpec(shape)).graph.get_operations()}


@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.0}, {"scale": False}, {"center": False, "epsilon": 1e-5}, {"scale": False, "center": False}],
)
@pytest.mark.parametrize("n_images", [16, 1])
def test_fused_layer_does_what_keras_does(options, n_images):
    theirs, ours = pair(**options)

    expected = passes(theirs, IMAGES[:n_images], SLOPES[:n_images])
    found = passes(ours, IMAGES[:n_images], SLOPES[:n_images])

    assert "FusedBatchNormV3" in operations(ours, (None, *IMAGES.shape[1:]))
    assert len(found) == len(expected) == 3 + len(theirs.trainable_variables) + 1
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


def test_one_value_a_channel_has_no_variance():
    theirs, ours = pair(momentum=0.0)
    theirs, ours = (passes(layer, IMAGES[:1, :1, :1], SLOPES[:1, :1, :1]) for layer in (theirs, ours))

    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    np.testing.assert_array_equal(ours[-1], 0.0)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((8, 5), {}),
        ((8, 4, 5, 6, 3), {}),
        ((8, 5, 6, 4), {"axis": 1}),
        ((8, 5, 6, 4), {"synchronized": True}),
        ((8, 5, 6, 4), {"renorm": True}),
        ((8, 5, 6, 4), {"dtype": "mixed_float16"}),
    ],
)
def test_what_is_not_of_images_alone_is_left_to_keras(shape, options):
    layer = keras.layers.BatchNormalization(**options)
    layer.build(shape)
    fuse(layer)

    assert isinstance(layer, FusedBatchNormalization)
    assert "FusedBatchNormV3" not in operations(layer, (None, *shape[1:]))


def test_frozen_layer_uses_its_averages():
    theirs, ours = pair()
    theirs.trainable = ours.trainable = False

    np.testing.assert_array_equal(ours(IMAGES, training=True), theirs(IMAGES, training=True))
    np.testing.assert_array_equal(ours.moving_mean, theirs.moving_mean)


def test_validation_is_that_of_keras():
    theirs, ours = pair()

    np.testing.assert_array_equal(ours(IMAGES, training=False), theirs(IMAGES, training=False))


def test_layer_of_ones_own_stays_as_it_is():
    class Own(keras.layers.BatchNormalization):
        pass

    layer = Own()
    fuse(layer)

    assert type(layer) is Own
