"""A whole network: preprocessing, backbone, head."""

from __future__ import annotations

from functools import partial

import keras

from search.training.hyperparameters import Hyperparameters
from search.training.models.architectures import Architecture, architecture_named
from search.training.models.builders import build_own, is_builder
from search.training.models.errors import ModelError
from search.training.models.head import add_head, check_head
from search.training.models.preprocessing import build_preprocessing
from search.training.models.ranges import SYMMETRIC
from search.training.models.shapes import Shape


def build_model(hp: Hyperparameters, image_shape: Shape, classes: int, builders: str | None = None) -> keras.Model:
    """The network that `hp` describes, from random weights, not compiled.

    It takes raw images, uint8 or float of 0 to 255, of shape (n, *image_shape), and gives logits of
    shape (n, classes) as float32. Its layers are `preprocessing` and `backbone`, both models
    themselves, then the head, which ends with the Dense layer `logits`. All are Keras' own, so a
    saved model loads anywhere.

    Args:
        hp: parameters; `architecture`, its depth, `image_size` and those of the head are used.
        image_shape: height, width and channels (1 or 3) of the data.
        classes: number of classes, at least 2.
        builders: folder of the user's own architectures; None forbids them.

    Raises:
        ModelError: if the architecture or one of its parameters is not allowed, or a user's
            builder is refused.
    """
    check_head(hp)
    if classes < 2:
        raise ModelError(f"a classifier needs at least 2 classes, but the data has {classes}")
    preprocessing, backbone = build_backbone(hp, image_shape, builders)
    images = keras.Input(image_shape, dtype="float32", name="images")
    logits = add_head(backbone(preprocessing(images)), hp, classes)
    return keras.Model(images, logits, name="network")


def build_backbone(
    hp: Hyperparameters, image_shape: Shape, builders: str | None = None
) -> tuple[keras.Model, keras.Model]:
    """The two models of `build_model` that stand before its head, `preprocessing` and `backbone`.

    Raises:
        ModelError: as `build_model`.
    """
    architecture = _architecture(hp, builders)
    preprocessing = _preprocessing(architecture, hp, image_shape)
    return preprocessing, _backbone(architecture, hp, preprocessing.output_shape[1:])


def to_probabilities(model: keras.Model) -> keras.Model:
    """The same network, weights shared, with a softmax layer `probabilities` at its end."""
    probabilities = keras.layers.Softmax(name="probabilities")(model.output)
    return keras.Model(model.inputs[0], probabilities, name="classifier")


def _architecture(hp: Hyperparameters, builders: str | None) -> Architecture:
    if not is_builder(hp.architecture):
        return architecture_named(hp.architecture)
    build = partial(build_own, hp.architecture, builders)
    return Architecture(build, SYMMETRIC, smallest_side=1, colour=False)


def _preprocessing(architecture: Architecture, hp: Hyperparameters, image_shape: Shape) -> keras.Model:
    if hp.image_size < 1:
        raise ModelError(f"`image_size` must be at least 1 pixel, but is {hp.image_size}")
    side = max(hp.image_size, architecture.smallest_side)
    return build_preprocessing(image_shape, side, architecture.input_range, colour=architecture.colour)


def _backbone(architecture: Architecture, hp: Hyperparameters, input_shape: Shape) -> keras.Model:
    built = architecture.build(input_shape, hp)
    # Wrapped only for the name, which is the same for every architecture.
    return keras.Model(built.inputs[0], built.outputs[0], name="backbone")
