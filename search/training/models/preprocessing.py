"""From images as the data has them to images as a network wants them."""

from __future__ import annotations

import keras
from keras import layers

from search.training.models.errors import ModelError
from search.training.models.ranges import InputRange
from search.training.models.shapes import Shape

_LARGEST_MARGIN = 1 / 4


def build_preprocessing(image_shape: Shape, side: int, input_range: InputRange, *, colour: bool) -> keras.Model:
    """A model named `preprocessing`: raw images of `image_shape` to square images of `side` pixels.

    Takes float32 or uint8 values of 0 to 255, gives float32. It has no weights.

    * An image that is not square gets black margins until it is.
    * To a `side` up to a quarter above its own the image gets black margins: no pixel changes.
      To any other it is resized (bilinear; smoothed first when it shrinks).
    * With `colour`, one grey channel becomes three equal ones.
    * At last the values are brought into `input_range`.

    Raises:
        ModelError: if the images have neither one nor three channels.
    """
    channels = image_shape[2]
    if channels not in {1, 3}:
        raise ModelError(
            f"images must have 1 channel (grey) or 3 (colour), but these have {channels}: convert them beforehand"
        )
    # Float, so that bytes and floats can come; Keras turns bytes into floats on the way in.
    images = keras.Input(image_shape, dtype="float32", name="images")
    fitted = _fit(images, side)
    if colour and channels == 1:
        fitted = layers.Concatenate(name="grey_to_colour")([fitted, fitted, fitted])
    scale, offset = _plain(input_range.scale), _plain(input_range.offset)
    scaled = layers.Rescaling(scale, offset, name="input_range")(fitted)
    return keras.Model(images, scaled, name="preprocessing")


def is_resized(longest: int, side: int) -> bool:
    """Whether images whose longest side is `longest` are resized to `side`, not just given margins."""
    return side < longest or side - longest > longest * _LARGEST_MARGIN


def _fit(images: keras.KerasTensor, side: int) -> keras.KerasTensor:
    height, width = images.shape[1:3]
    longest = max(height, width)
    resized = is_resized(longest, side)
    framed = longest if resized else side
    if (height, width) != (framed, framed):
        margins = (_halves(framed - height), _halves(framed - width))
        images = layers.ZeroPadding2D(margins, name="margins")(images)
    if resized:
        images = layers.Resizing(side, side, antialias=side < longest, name="resizing")(images)
    return images


def _halves(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2


def _plain(value: float | tuple[float, ...]) -> float | list[float]:
    return list(value) if isinstance(value, tuple) else value
