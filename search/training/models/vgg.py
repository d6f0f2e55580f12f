"""VGG16 and VGG19 with fewer blocks: Simonyan and Zisserman, "Very Deep Convolutional Networks for
Large-Scale Image Recognition", 2015.
"""

from __future__ import annotations

import keras

from search.training.hyperparameters import Hyperparameters
from search.training.models.errors import ModelError
from search.training.models.shapes import Shape

FEWEST_BLOCKS = 2
MOST_BLOCKS = 5


def build_vgg(input_shape: Shape, hp: Hyperparameters) -> keras.Model:
    """The first `hp.blocks` blocks of Keras' own VGG16 or VGG19, each ending with its pooling.

    With 5 blocks it is the whole network. Images of 32×32 give maps of 8, 4, 2 and 1 pixels a side
    after 2, 3, 4 and 5 blocks.

    Raises:
        ModelError: if `blocks` is missing or not 2 to 5.
    """
    if hp.blocks is None or not FEWEST_BLOCKS <= hp.blocks <= MOST_BLOCKS:
        raise ModelError(f"`blocks` of {hp.architecture} must be {FEWEST_BLOCKS} to {MOST_BLOCKS}, but is {hp.blocks}")
    application = getattr(keras.applications, hp.architecture)
    whole = application(weights=None, include_top=False, input_shape=input_shape)
    return keras.Model(whole.inputs, whole.get_layer(f"block{hp.blocks}_pool").output)
