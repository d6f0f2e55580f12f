"""Image files: which there are, what all have in common, and their pixels as a viewer shows them."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.training.data.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

    from search.training.data.parts import Images

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Files with another ending are not looked at."""

_GREY_MODES = frozenset({"1", "L", "LA"})
_COLOUR_MODES = frozenset({"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"})
_EXIF_KEYS = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})
_ORIENTATION = 0x0112
_QUARTER_TURNS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class ImageKind:
    """What all images of a source have in common."""

    height: int
    width: int
    mode: str
    """`L` if every file is grey, else `RGB`."""


def is_image(path: Path) -> bool:
    """Whether a file is looked at, by its ending."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def common_kind(files: Sequence[Path]) -> ImageKind:
    """Read the headers of all files, one or more; sizes are those of the upright images.

    Raises:
        DataError: if one is damaged, of another size, or not of 8 bits a channel.
    """
    size: tuple[int, int] | None = None
    is_grey = True
    for path in files:
        with _opened(path) as image:
            own = _upright_size(image)
            size = size or own
            if own != size:
                raise _other_size(path, own, f"{files[0]} is", size)
            if image.mode not in _GREY_MODES | _COLOUR_MODES:
                raise DataError(
                    f"images must have 8 bits a channel, but {path} has pixels of kind {image.mode}; "
                    "save it as 8-bit grey or RGB"
                )
            is_grey = is_grey and image.mode in _GREY_MODES
    assert size is not None
    return ImageKind(height=size[1], width=size[0], mode="L" if is_grey else "RGB")


def read_images(files: Sequence[Path], kind: ImageKind) -> Images:
    """The pixels of all files, upright, in one array (n, height, width, 1 or 3).

    Raises:
        DataError: if a file is damaged, or of another size than its header said.
    """
    images = np.empty((len(files), kind.height, kind.width, 1 if kind.mode == "L" else 3), np.uint8)
    for position, path in enumerate(files):
        with _opened(path) as image:
            upright = _upright(image)
            if upright.size != (kind.width, kind.height):
                raise _other_size(path, upright.size, "the others are", (kind.width, kind.height))
            images[position] = np.asarray(upright.convert(kind.mode)).reshape(images.shape[1:])
    return images


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height once the image is turned as its EXIF orientation says; pixels are not decoded.

    Pillow turns TIFF itself, and tells the size after that. A PNG that tells its orientation after its pixels
    (which hardly any does) is found out when it is read.
    """
    width, height = image.size
    tells = image.format != "TIFF" and not _EXIF_KEYS.isdisjoint(image.info)
    return (height, width) if tells and _orientation(image) in _QUARTER_TURNS else (width, height)


def _upright(image: Image.Image) -> Image.Image:
    """The image turned and mirrored as its EXIF orientation says, as every viewer shows it."""
    from PIL.Image import Transpose
    from PIL.TiffImagePlugin import TiffImageFile

    if isinstance(image, TiffImageFile):
        image.filename = ""  # else Pillow maps an uncompressed one to memory, with width and height exchanged
    image.load()  # before the tag is read: a TIFF has none left when Pillow has turned it
    method = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(_orientation(image))
    return image if method is None else image.transpose(method)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or it cannot be read: the pixels still can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF
            value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, struct.error):
        return 1
    return value if isinstance(value, int) else 1


def _other_size(path: Path, own: tuple[int, int], others: str, size: tuple[int, int]) -> DataError:
    return DataError(
        f"all images must be of one size, but {path} is {own[0]}×{own[1]} and {others} {size[0]}×{size[1]} "
        "(width×height); resize them first"
    )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except DataError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is too large to train on ({error}); resize it") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"{path} is no readable image ({error}); replace or remove it") from error
