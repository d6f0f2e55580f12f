"""LeNet-5: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
Recognition", 1998.
"""

from __future__ import annotations

import keras
from keras import layers

from search.training.models.shapes import Shape

SMALLEST_SIDE = 32
"""The third convolution needs maps of 5×5, which is what 32×32 pixels leave."""


def build_lenet(input_shape: Shape) -> keras.Model:
    """The layers C1 to C5 of the paper, up to the head (its F6 is one dense layer of 84).

    As usual today, every map of C3 sees every map of S2, and the pooling has no weights of its own.
    Images of 32×32 give maps of 1×1×120.
    """
    images = keras.Input(input_shape)
    x = layers.Conv2D(6, 5, activation="tanh", name="c1")(images)
    x = layers.AveragePooling2D(2, name="s2")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="c3")(x)
    x = layers.AveragePooling2D(2, name="s4")(x)
    x = layers.Conv2D(120, 5, activation="tanh", name="c5")(x)
    return keras.Model(images, x)
