"""`folder:PATH`: images as files, one sub-folder a class."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.training.data.errors import DataError
from search.training.data.parts import Images, Labels, Parts, checked_parts

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Files with another ending are not looked at."""

_GREY_MODES = frozenset({"1", "L", "LA"})
_COLOUR_MODES = frozenset({"RGB", "RGBA", "P", "PA", "CMYK", "YCbCr"})


@dataclass(frozen=True)
class _Kind:
    """What all images of a source have in common."""

    height: int
    width: int
    mode: str
    """`L` if every file is grey, else `RGB`."""


def read_folder(folder: Path) -> Parts:
    """The images of a folder; classes are its sub-folders by name, images are taken by file name.

    If the sub-folders are `train` and `test` and hold folders themselves, they are the training and the test part.
    Grey files stay one channel, unless there are colour files too; transparency is dropped. All must
    have one size: nothing is resized here.

    Raises:
        DataError: if there are fewer than two classes, a class without images, or a file that is
            damaged, of another size, or not of 8 bits a channel.
    """
    if not folder.is_dir():
        raise DataError(f"folder: needs a folder with one sub-folder a class, but {folder} is none; check the path")
    train, test = _parts_of(folder)
    classes = tuple(path.name for path in _folders_in(train))
    if len(classes) < 2:
        raise DataError(
            f"{train} must have two sub-folders or more, one a class, but has {len(classes)}; "
            "sort the images into a folder for each class"
        )
    files = _files_by_class(train, classes)
    test_files = [] if test is None else _files_by_class(test, classes)
    kind = _common_kind([path for path, _ in files + test_files])
    return checked_parts(
        str(folder),
        train=_read(files, kind),
        test=_read(test_files, kind) if test_files else None,
        classes=classes,
    )


def _parts_of(folder: Path) -> tuple[Path, Path | None]:
    folders = {path.name: path for path in _folders_in(folder)}
    if set(folders) == {"train", "test"} and all(_folders_in(path) for path in folders.values()):
        return folders["train"], folders["test"]
    return folder, None


def _folders_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files_by_class(folder: Path, classes: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Each image file of the folder with its label."""
    if unknown := [path.name for path in _folders_in(folder) if path.name not in classes]:
        raise DataError(f"{folder} has a class {unknown[0]!r} that the training part lacks; add or remove it")
    files: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        own = _images_in(folder / name)
        if not own:
            raise DataError(
                f"each class needs images, but {folder / name} has no file ending in one of "
                f"{', '.join(sorted(SUFFIXES))}; add images or remove the folder"
            )
        files += [(path, label) for path in own]
    return files


def _images_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _common_kind(files: list[Path]) -> _Kind:
    """Read the headers of all files."""
    size: tuple[int, int] | None = None
    is_grey = True
    for path in files:
        with _opened(path) as image:
            size = size or image.size
            if image.size != size:
                raise DataError(
                    f"all images must be of one size, but {path} is {image.width}×{image.height} and {files[0]} "
                    f"is {size[0]}×{size[1]} (width×height); resize them first"
                )
            if image.mode not in _GREY_MODES | _COLOUR_MODES:
                raise DataError(
                    f"images must have 8 bits a channel, but {path} has pixels of kind {image.mode}; "
                    "save it as 8-bit grey or RGB"
                )
            is_grey = is_grey and image.mode in _GREY_MODES
    assert size is not None
    return _Kind(height=size[1], width=size[0], mode="L" if is_grey else "RGB")


def _read(files: list[tuple[Path, int]], kind: _Kind) -> tuple[Images, Labels]:
    images = np.empty((len(files), kind.height, kind.width, 1 if kind.mode == "L" else 3), np.uint8)
    for position, (path, _) in enumerate(files):
        with _opened(path) as image:
            images[position] = np.asarray(image.convert(kind.mode)).reshape(images.shape[1:])
    return images, np.array([label for _, label in files], np.int64)


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
