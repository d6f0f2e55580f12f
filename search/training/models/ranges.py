"""The range of pixel values that each family of networks was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class InputRange:
    """A linear map of raw pixels (0 to 255): `pixel * scale + offset`, for every channel or one by one."""

    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...]

    @classmethod
    def normalised(cls, mean: Sequence[float], deviation: Sequence[float]) -> Self:
        """(pixel / 255 - mean) / deviation, channel by channel."""
        pairs = tuple(zip(mean, deviation, strict=True))
        return cls(tuple(1 / (255 * d) for _, d in pairs), tuple(-m / d for m, d in pairs))


RAW = InputRange(1.0, 0.0)
"""0 to 255, for the families that rescale by themselves."""

SYMMETRIC = InputRange(1 / 127.5, -1.0)
"""-1 to 1; Keras calls it `tf`."""

STANDARDISED = InputRange.normalised(_IMAGENET_MEAN, _IMAGENET_DEVIATION)
"""Mean 0 and deviation 1 over ImageNet, about -2.1 to 2.6; Keras calls it `torch`."""

CENTRED = InputRange(1.0, tuple(-255 * mean for mean in (123.68 / 255, 116.779 / 255, 103.939 / 255)))
"""ImageNet's mean taken away, about -124 to 151; Keras calls it `caffe`.

Keras turns the channels round as well (RGB to BGR), for the sake of weights trained so elsewhere.
A network that starts from random weights cannot tell, so the channels stay as they are.
"""

LECUN = InputRange(1.275 / 255, -0.1)
"""-0.1 for paper to 1.175 for ink (LeCun and others, 1998, section II-B)."""
