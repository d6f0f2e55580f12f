"""Gradients by the size of the images, against TensorFlow's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from search.training.tensorflow_runtime import derived_by_size

N_CHANNELS = 4
KINDS = {
    "Conv2D": lambda **options: keras.layers.Conv2D(6, **options),
    "DepthwiseConv2D": keras.layers.DepthwiseConv2D,
    "SeparableConv2D": lambda **options: keras.layers.SeparableConv2D(6, **options),
}


def layer_for(kind, size, **options):
    """One with weights that are not small."""
    layer = KINDS[kind](**options)
    layer.build((None, *size, N_CHANNELS))
    for place, variable in enumerate(layer.weights):
        variable.assign(np.random.default_rng(place).normal(size=variable.shape))
    return layer


def derived(layer, function, size):
    """A graph function of images to outputs, and to gradients with respect to the images and weights of `layer`."""

    def both(images):
        outputs = function(images)
        slopes = tf.cast(tf.sin(tf.range(tf.size(outputs), dtype="float32")), outputs.dtype)
        sources = [images, *(variable.value for variable in layer.trainable_variables)]
        return outputs, *tf.gradients(outputs, sources, grad_ys=tf.reshape(slopes, tf.shape(outputs)))

    spec = tf.TensorSpec((None, *size, N_CHANNELS), layer.compute_dtype)
    return tf.function(both, autograph=False).get_concrete_function(spec)


def check(kind, size, **options):
    """Hold our gradients against TensorFlow's; (padding, rows, columns) of each kernel's, the latter where constant."""
    layer = layer_for(kind, size, **options)
    images = tf.constant(np.random.default_rng(0).normal(size=(8, *(n or 2 for n in size), 4)), layer.compute_dtype)
    ours, theirs = (derived(layer, function, size) for function in (derived_by_size(layer), layer))

    for one, other in zip(ours(images), theirs(images), strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    made = [one for one in ours.graph.get_operations() if one.type.endswith("BackpropFilter")]
    shapes = [tf.get_static_value(one.inputs[1]) for one in made]
    return [
        (one.get_attr("padding").decode(), *(() if shape is None else shape[:2]))
        for one, shape in zip(made, shapes, strict=True)
    ]


@pytest.mark.parametrize("kind", ["Conv2D", "DepthwiseConv2D"])
@pytest.mark.parametrize(
    ("size", "kernel_size", "reached"),
    [
        ((1, 1), 5, (1, 1)),
        ((1, 1), (4, 2), (1, 1)),
        ((2, 2), 3, (3, 3)),
        ((2, 2), 5, (3, 3)),
        ((2, 3), 4, (3, 4)),
        ((3, 9), (7, 2), (5, 2)),
        ((4, 4), 5, (5, 5)),
    ],
)
def test_kernel_larger_than_its_images_is_derived_by_what_they_reach(kind, size, kernel_size, reached):
    assert check(kind, size, kernel_size=kernel_size, padding="same") == [("EXPLICIT", *reached)]


def test_depthwise_half_of_a_separable_convolution_is_derived_so_too():
    made = check("SeparableConv2D", (2, 2), kernel_size=3, padding="same", depth_multiplier=2)

    assert sorted(made) == [("EXPLICIT", 3, 3), ("VALID",)]


@pytest.mark.parametrize("kind", ["Conv2D", "DepthwiseConv2D"])
@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((5, 5), {"kernel_size": 5}),
        ((1, 1), {"kernel_size": 1}),
        ((2, 2), {"kernel_size": 3, "strides": 2}),
        ((2, 2), {"kernel_size": 3, "dtype": "float64"}),
        ((None, None), {"kernel_size": 3}),
    ],
)
def test_other_kernels_are_derived_as_ever(kind, size, options):
    [(padding, *_)] = check(kind, size, padding="same", **options)

    assert padding == "SAME"


def test_channels_in_groups_are_derived_as_ever():
    assert ("EXPLICIT", 3, 3) not in check("Conv2D", (2, 2), kernel_size=3, padding="same", groups=2)


def test_padding_none_is_derived_as_ever():
    assert check("Conv2D", (2, 2), kernel_size=2, padding="valid") == [("VALID",)]


def test_graphs_traced_afterwards_are_derived_as_ever():
    layer = layer_for("Conv2D", (1, 1), kernel_size=3, padding="same")
    derived(layer, derived_by_size(layer), (1, 1))

    found = derived(layer, layer, (1, 1)).graph.get_operations()

    assert [one.get_attr("padding") for one in found if one.type == "Conv2DBackpropFilter"] == [b"SAME"]
