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
    return _interpolated(images, rows, columns)


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
    n, height, width, _ = images.shape
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    low, sideways = (rows - top)[..., None], (columns - left)[..., None]
    each = np.arange(n)[:, None, None]
    upper = images[each, top, left] * (1 - sideways) + images[each, top, right] * sideways
    lower = images[each, bottom, left] * (1 - sideways) + images[each, bottom, right] * sideways
    mixed: NDArray[np.uint8] = np.rint(upper * (1 - low) + lower * low).astype(np.uint8)
    return mixed
