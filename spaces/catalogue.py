"""What the trainer knows: its architectures and its parameters, each with limits and a default."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from spaces.errors import shown

Scalar = str | int | float
"""A value of a parameter."""

Kind = Literal["choice", "int", "float"]

KERAS_APPLICATIONS = (
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge",
    "DenseNet121", "DenseNet169", "DenseNet201",
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3",
    "EfficientNetB4", "EfficientNetB5", "EfficientNetB6", "EfficientNetB7",
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3",
    "EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S",
    "InceptionResNetV2", "InceptionV3",
    "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small",
    "NASNetLarge", "NASNetMobile",
    "ResNet101", "ResNet101V2", "ResNet152", "ResNet152V2", "ResNet50", "ResNet50V2",
    "VGG16", "VGG19", "Xception",
)  # fmt: skip
"""Every network in `keras.applications` (Keras 3.15)."""

ARCHITECTURES = (*KERAS_APPLICATIONS, "LeNet5", "ShortResNet")
"""Every network that has a name; a user's own are written `module:function`."""

_VGG = ("VGG16", "VGG19")
_SHORT_RESNET = ("ShortResNet",)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one parameter of the trainer may be."""

    name: str
    kind: Kind
    help: str
    """What it does, in a few words."""
    default: Scalar | None
    """Taken where a space neither searches nor fixes it; None for `architecture`, which must be given."""
    defaults: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))
    """Defaults of single architectures, where they differ."""
    allowed: tuple[str, ...] = ()
    """The names of a choice."""
    low: float = -math.inf
    high: float = math.inf
    excludes_low: bool = False
    excludes_high: bool = False
    architectures: tuple[str, ...] | None = None
    """The architectures that use it; None for all."""

    def is_used_by(self, architecture: str) -> bool:
        """Whether the parameter means something to the architecture."""
        return self.architectures is None or architecture in self.architectures

    def default_for(self, architecture: str) -> Scalar | None:
        """The default; None where the architecture does not use the parameter."""
        if not self.is_used_by(architecture):
            return None
        return self.defaults.get(architecture, self.default)

    def describe(self) -> str:
        """What is allowed, in words: `a whole number from 0 to 3`, `a number in [0, 1)`."""
        if self.kind == "choice":
            return f"one of: {', '.join(self.allowed)}"
        if self.kind == "int":
            return f"a whole number from {self.low:.0f} to {self.high:.0f}"
        opening, closing = "(" if self.excludes_low else "[", ")" if self.excludes_high else "]"
        return f"a number in {opening}{self.low:g}, {self.high:g}{closing}"

    def problem(self, value: object) -> str | None:
        """What is wrong with a value; None if nothing is."""
        if self._holds(value):
            return None
        return f"must be {self.describe()}, but got {shown(value)}"

    def normal(self, value: Scalar) -> Scalar:
        """The value in the type that the trainer takes: `0` is `0.0` for a dropout rate."""
        # + 0.0 makes -0.0 the same zero as every other, also in canonical JSON
        return float(value) + 0.0 if self.kind == "float" else value

    def _holds(self, value: object) -> bool:
        if self.kind == "choice":
            return isinstance(value, str) and value in self.allowed
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "int" else int | float):
            return False
        above = value > self.low if self.excludes_low else value >= self.low
        below = value < self.high if self.excludes_high else value <= self.high
        return above and below


def _choice(name: str, allowed: tuple[str, ...], default: str | None, text: str) -> Rule:
    return Rule(name=name, kind="choice", allowed=allowed, default=default, help=text)


RULES: Mapping[str, Rule] = MappingProxyType({
    rule.name: rule
    for rule in (
        _choice("architecture", ARCHITECTURES, None, "the network"),
        Rule(name="blocks", kind="int", low=2, high=5, default=5, architectures=_VGG,
             help="convolution blocks of VGG16 and VGG19"),
        Rule(name="stages", kind="int", low=1, high=4, default=4, architectures=_SHORT_RESNET,
             help="stages of ShortResNet"),
        Rule(name="blocks_per_stage", kind="int", low=1, high=3, default=2, architectures=_SHORT_RESNET,
             help="residual blocks in each stage of ShortResNet"),
        Rule(name="image_size", kind="int", low=8, high=1024, default=32,
             help="side of the square image that the network sees, in pixels"),
        _choice("head_pool", ("flatten", "avg"), "flatten", "between backbone and head: all values, or channel means"),
        Rule(name="head_layers", kind="int", low=0, high=3, default=1, help="dense layers before the output layer"),
        Rule(name="head_width", kind="int", low=1, high=65536, default=512, help="units of each dense layer"),
        Rule(name="dropout", kind="float", low=0, high=1, excludes_high=True, default=0.0, help="dropout rate"),
        _choice("dropout_at", ("last", "each"), "last", "dropout before the output layer, or after each dense layer"),
        Rule(name="batch_size", kind="int", low=1, high=65536, default=256, help="images in a training step"),
        Rule(name="learning_rate", kind="float", low=0, high=100, excludes_low=True, default=1e-3,
             defaults=MappingProxyType(dict.fromkeys(_VGG, 1e-4)), help="learning rate at the start"),
        _choice("schedule", ("constant", "cosine", "plateau"), "constant",
                "learning rate over time: constant, cosine to zero, or halved when validation stalls"),
        _choice("optimizer", ("adam", "adamw", "sgd"), "adam", "how the weights are moved"),
        Rule(name="momentum", kind="float", low=0, high=1, excludes_high=True, default=0.9,
             help="momentum of sgd; without effect on the others"),
        Rule(name="weight_decay", kind="float", low=0, high=1, default=0.0, help="decoupled weight decay"),
        Rule(name="label_smoothing", kind="float", low=0, high=1, excludes_high=True, default=0.0,
             help="share of the target spread over all classes"),
        _choice("augment", ("none", "shift_rotate"), "none", "random shifts and small rotations in training"),
        Rule(name="patience", kind="int", low=1, high=100_000, default=10,
             help="epochs without a better validation value before training stops"),
        Rule(name="epochs", kind="int", low=1, high=100_000, default=50, help="epochs at most"),
        _choice("batch_norm", ("honest", "keras"), "honest",
                "averages of BatchNorm recomputed before each validation, or as Keras keeps them"),
        _choice("weight_average", ("tail", "none"), "tail",
                "what is validated and kept: a mean of the last steps' weights, or the last step's"),
    )
})  # fmt: skip
"""Every parameter of the trainer, by name."""

SOURCES = (
    "mnist-5k",
    *(f"emnist-{split}" for split in ("balanced", "byclass", "bymerge", "letters", "digits", "mnist")),
)
"""Data sources that have a name of their own."""

SOURCE_PREFIXES = ("idx:", "folder:", "npz:", "keras:")
"""Beginnings of the other data sources; a folder, file or name follows."""
