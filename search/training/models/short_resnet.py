"""Residual networks from ResNet-18 downwards: He, Zhang, Ren and Sun, "Deep Residual Learning for
Image Recognition", 2016, table 1.
"""

from __future__ import annotations

import keras
from keras import layers

from search.training.hyperparameters import Hyperparameters
from search.training.models.errors import ModelError
from search.training.models.shapes import Shape

MOST_STAGES = 4
MOST_BLOCKS = 3
_FILTERS = 64
# Of the last hundred steps rather than the last thousand: short trainings are what this is for.
_MOMENTUM = 0.9
_EPSILON = 1e-5


def build_short_resnet(input_shape: Shape, hp: Hyperparameters) -> keras.Model:
    """A 7×7 stem, then `hp.stages` stages of `hp.blocks_per_stage` basic blocks of two 3×3 convolutions.

    Stage s has 64 · 2^(s-1) filters; all but the first halve the side. Four stages of two blocks
    are ResNet-18. Images of 32×32 give maps of 8, 4, 2 and 1 pixels a side after 1 to 4 stages.

    Raises:
        ModelError: if `stages` is not 1 to 4, or `blocks_per_stage` not 1 to 3, or one is missing.
    """
    stages, blocks = _checked(hp)
    images = keras.Input(input_shape)
    x = _convolution(images, _FILTERS, 7, strides=2, name="stem")
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage in range(stages):
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            x = _basic_block(x, _FILTERS * 2**stage, strides, name=f"stage{stage + 1}_block{block + 1}")
    return keras.Model(images, x)


def _checked(hp: Hyperparameters) -> tuple[int, int]:
    if hp.stages is None or not 1 <= hp.stages <= MOST_STAGES:
        raise ModelError(f"`stages` of ShortResNet must be 1 to {MOST_STAGES}, but is {hp.stages}")
    if hp.blocks_per_stage is None or not 1 <= hp.blocks_per_stage <= MOST_BLOCKS:
        raise ModelError(f"`blocks_per_stage` of ShortResNet must be 1 to {MOST_BLOCKS}, but is {hp.blocks_per_stage}")
    return hp.stages, hp.blocks_per_stage


def _basic_block(x: keras.KerasTensor, filters: int, strides: int, name: str) -> keras.KerasTensor:
    shortcut = x
    if strides != 1 or x.shape[-1] != filters:
        shortcut = _convolution(x, filters, 1, strides=strides, name=f"{name}_shortcut")
    x = _convolution(x, filters, 3, strides=strides, name=f"{name}_1")
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = _convolution(x, filters, 3, strides=1, name=f"{name}_2")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_relu")(x)


def _convolution(x: keras.KerasTensor, filters: int, kernel: int, *, strides: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return layers.BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, name=f"{name}_bn")(x)
