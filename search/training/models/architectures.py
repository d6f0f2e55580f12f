"""Every architecture by its name, with what it expects of its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import keras

from search.training.hyperparameters import Hyperparameters
from search.training.models import lenet
from search.training.models.errors import ModelError
from search.training.models.ranges import CENTRED, LECUN, RAW, STANDARDISED, SYMMETRIC, InputRange
from search.training.models.shapes import Shape
from search.training.models.short_resnet import build_short_resnet
from search.training.models.vgg import build_vgg

Build = Callable[[Shape, Hyperparameters], keras.Model]
"""Input shape (preprocessed) and parameters to a functional model: images to features or maps."""


@dataclass(frozen=True)
class Architecture:
    """A backbone and the images it takes."""

    build: Build
    input_range: InputRange
    smallest_side: int = 32
    """Side in pixels below which the backbone cannot be built."""
    colour: bool = True
    """Whether it takes three channels; if not, it takes as many as the data has."""


def _from_keras(input_shape: Shape, hp: Hyperparameters) -> keras.Model:
    # No `name`: EfficientNetV2 chooses its own preprocessing by the name it is given.
    return getattr(keras.applications, hp.architecture)(weights=None, include_top=False, input_shape=input_shape)


# Range and side are those of each family's `preprocess_input` and `min_size` in Keras' source.
_RESCALES_INSIDE = Architecture(_from_keras, RAW)
_INCEPTION = Architecture(_from_keras, SYMMETRIC, smallest_side=75)
_FROM_MINUS_ONE_TO_ONE = Architecture(_from_keras, SYMMETRIC)
_DENSENET = Architecture(_from_keras, STANDARDISED)
_RESNET = Architecture(_from_keras, CENTRED)
_VGG = Architecture(build_vgg, CENTRED)

ARCHITECTURES: dict[str, Architecture] = {
    "ConvNeXtBase": _RESCALES_INSIDE,
    "ConvNeXtLarge": _RESCALES_INSIDE,
    "ConvNeXtSmall": _RESCALES_INSIDE,
    "ConvNeXtTiny": _RESCALES_INSIDE,
    "ConvNeXtXLarge": _RESCALES_INSIDE,
    "DenseNet121": _DENSENET,
    "DenseNet169": _DENSENET,
    "DenseNet201": _DENSENET,
    "EfficientNetB0": _RESCALES_INSIDE,
    "EfficientNetB1": _RESCALES_INSIDE,
    "EfficientNetB2": _RESCALES_INSIDE,
    "EfficientNetB3": _RESCALES_INSIDE,
    "EfficientNetB4": _RESCALES_INSIDE,
    "EfficientNetB5": _RESCALES_INSIDE,
    "EfficientNetB6": _RESCALES_INSIDE,
    "EfficientNetB7": _RESCALES_INSIDE,
    "EfficientNetV2B0": _RESCALES_INSIDE,
    "EfficientNetV2B1": _RESCALES_INSIDE,
    "EfficientNetV2B2": _RESCALES_INSIDE,
    "EfficientNetV2B3": _RESCALES_INSIDE,
    "EfficientNetV2L": _RESCALES_INSIDE,
    "EfficientNetV2M": _RESCALES_INSIDE,
    "EfficientNetV2S": _RESCALES_INSIDE,
    "InceptionResNetV2": _INCEPTION,
    "InceptionV3": _INCEPTION,
    "LeNet5": Architecture(lambda shape, _: lenet.build_lenet(shape), LECUN, lenet.SMALLEST_SIDE, colour=False),
    "MobileNet": _FROM_MINUS_ONE_TO_ONE,
    "MobileNetV2": _FROM_MINUS_ONE_TO_ONE,
    "MobileNetV3Large": _RESCALES_INSIDE,
    "MobileNetV3Small": _RESCALES_INSIDE,
    "NASNetLarge": _FROM_MINUS_ONE_TO_ONE,
    "NASNetMobile": _FROM_MINUS_ONE_TO_ONE,
    "ResNet101": _RESNET,
    "ResNet101V2": _FROM_MINUS_ONE_TO_ONE,
    "ResNet152": _RESNET,
    "ResNet152V2": _FROM_MINUS_ONE_TO_ONE,
    "ResNet50": _RESNET,
    "ResNet50V2": _FROM_MINUS_ONE_TO_ONE,
    "ShortResNet": Architecture(build_short_resnet, STANDARDISED),
    "VGG16": _VGG,
    "VGG19": _VGG,
    "Xception": Architecture(_from_keras, SYMMETRIC, smallest_side=71),
}


def architecture_named(name: str) -> Architecture:
    """The built-in architecture of that name.

    Raises:
        ModelError: if there is none; the message suggests the nearest name.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    near = get_close_matches(name, ARCHITECTURES, n=1)
    cure = f"did you mean {near[0]}?" if near else "the names are those of `keras.applications`, LeNet5 and ShortResNet"
    raise ModelError(f"`architecture` must be one that is known, but is {name!r}: {cure}")
