"""Small changes to training images that leave their class as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Augmentation = Callable[["NDArray[np.uint8]", np.random.Generator], "NDArray[np.uint8]"]

_MAX_SHIFT = 0.08  # of the side: two pixels of 28
_MAX_ROTATION = np.deg2rad(10.0)
_PIXELS_AT_ONCE = 2**15
"""So many that what they need on the way stays near the processor."""


def shift_rotate(images: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Shift and rotate each image by its own random amounts.

    Shifts are uniform up to 8 % of the side, rotations uniform up to 10 degrees about the middle;
    pixels are interpolated bilinearly, and what lies outside repeats the border.

    Args:
        images: (n, height, width, channels), 0 to 255.
        random: decides the amounts; the same generator state gives the same images.

    Returns:
        New images of the same shape and dtype.
    """
    rows, columns = _sources(images.shape, random)
    moved = np.empty_like(images)
    n = max(1, _PIXELS_AT_ONCE // (images.shape[1] * images.shape[2]))
    for start in range(0, len(images), n):
        part = slice(start, start + n)
        moved[part] = _interpolated(images[part], rows[part], columns[part])
    return moved


AUGMENTATIONS: dict[str, Augmentation | None] = {"none": None, "shift_rotate": shift_rotate}


def _sources(shape: tuple[int, ...], random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each pixel of each image, the row and column that it is taken from: (n, height, width)."""
    n, height, width = shape[:3]
    angle = random.uniform(-_MAX_ROTATION, _MAX_ROTATION, (n, 1, 1)).astype(np.float32)
    down = random.uniform(-_MAX_SHIFT, _MAX_SHIFT, (n, 1, 1)).astype(np.float32) * height
    right = random.uniform(-_MAX_SHIFT, _MAX_SHIFT, (n, 1, 1)).astype(np.float32) * width
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    x = np.arange(width, dtype=np.float32)[None, :] - (width - 1) / 2
    rows = np.cos(angle) * y - np.sin(angle) * x + down + np.float32((height - 1) / 2)
    columns = np.sin(angle) * y + np.cos(angle) * x + right + np.float32((width - 1) / 2)
    return np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)


def _interpolated(
    images: NDArray[np.uint8], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.uint8]:
    n, height, width, channels = images.shape
    pixels = images.reshape(-1, channels).astype(np.float32)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    upper = (np.arange(n, dtype=np.int32)[:, None, None] * height + top) * width + left
    lower = upper + np.where(top < height - 1, width, 0).astype(np.int32)
    right = (left < width - 1).astype(np.int32)
    down, sideways = (rows - top.astype(np.float32))[..., None], (columns - left.astype(np.float32))[..., None]
    above = _between(pixels.take(upper, axis=0), pixels.take(upper + right, axis=0), sideways)
    below = _between(pixels.take(lower, axis=0), pixels.take(lower + right, axis=0), sideways)
    return np.rint(_between(above, below, down)).astype(np.uint8)


def _between(
    first: NDArray[np.float32], second: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What lies between, in the memory of the second."""
    second -= first
    second *= share
    second += first
    return second
