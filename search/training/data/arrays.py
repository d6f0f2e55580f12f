"""`npz:FILE`: arrays saved by NumPy."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError
from search.training.data.parts import Pair, Parts, checked_parts

_NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    # The first as Keras names its own, the last as MedMNIST does.
    "train": (("x_train", "y_train"), ("images", "labels"), ("train_images", "train_labels")),
    "validation": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
"""The arrays that a part may be in: images and labels."""
_CLASSES = "classes"


def read_npz(file: Path) -> Parts:
    """Arrays `x_train, y_train[, x_val, y_val][, x_test, y_test]`, or as MedMNIST names them.

    `train_images, train_labels` or `images, labels`, `val_images, val_labels`, `test_images, test_labels` are the
    same. Images as `checked_parts` takes them; an array of strings `classes` may name the classes, else their
    numbers do. Pickled objects are refused, and so are images of another name: they may be data that were meant.

    Raises:
        DataError: if the file is missing, damaged, or lacks an array, or an array is not as it must be.
    """
    try:
        # NumPy leaves a file open that it opened itself and cannot read.
        with file.open("rb") as stream:
            return _parts(file, np.load(stream, allow_pickle=False))
    except FileNotFoundError as error:
        raise DataError(f"npz: needs a file, but {file} does not exist; check the path") from error
    except DataError:
        raise
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{file} cannot be read as arrays ({error}); write it again with numpy.savez_compressed"
        ) from error


def _parts(file: Path, arrays: Any) -> Parts:
    if not isinstance(arrays, np.lib.npyio.NpzFile):
        raise DataError(
            f"npz: needs an archive of named arrays, but {file} is one array; write it with numpy.savez_compressed"
        )
    found = {part: _found(file, arrays, part) for part in _NAMES}
    if found["train"] is None:
        raise DataError(
            f"an npz file must hold {', or '.join(' and '.join(names) for names in _NAMES['train'])}, but {file} "
            f"holds {', '.join(arrays) or 'nothing'}; write it again with these names"
        )
    _check_no_other_images(file, arrays)
    return checked_parts(
        str(file),
        train=_pair(arrays, found["train"]),
        validation=found["validation"] and _pair(arrays, found["validation"]),
        test=found["test"] and _pair(arrays, found["test"]),
        classes=_classes(file, arrays[_CLASSES]) if _CLASSES in arrays else None,
    )


def _found(file: Path, arrays: Any, part: str) -> tuple[str, str] | None:
    """The names that a part has in the file; None where it is not there."""
    there = [names for names in _NAMES[part] if names[0] in arrays or names[1] in arrays]
    for images, labels in there:
        if images not in arrays or labels not in arrays:
            raise DataError(
                f"{images} and {labels} belong together, but {file} has only one; add the other or leave both out"
            )
    if len(there) > 1:
        raise DataError(
            f"an npz file must hold one {part} part, but {file} has {' and '.join(images for images, _ in there)}; "
            "leave out all but one"
        )
    return there[0] if there else None


def _check_no_other_images(file: Path, arrays: Any) -> None:
    """Refuse images under a name that means nothing here; a mean, or a column of file names, is passed over."""
    known = [name for part in _NAMES.values() for names in part for name in names] + [_CLASSES]
    if unknown := [name for name in arrays if name not in known and _may_be_images(arrays, name)]:
        raise DataError(
            f"the images in an npz file must have names that say what they are for ({', '.join(known)}), but {file} "
            f"also has {', '.join(unknown)}; rename or leave out"
        )


def _may_be_images(arrays: Any, name: str) -> bool:
    try:
        return bool(arrays[name].ndim >= 3)
    except ValueError:  # pickled objects, which are not read
        return False


def _pair(arrays: Any, names: tuple[str, str]) -> Pair:
    return arrays[names[0]], arrays[names[1]]


def _classes(file: Path, names: NDArray[Any]) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) != len(names):
        raise DataError(
            f"`classes` must be distinct strings, one a class, but in {file} it is {names.dtype} of shape "
            f'{names.shape}, {len(np.unique(names))} distinct; write it as numpy.array(["cat", "dog"])'
        )
    return tuple(str(name) for name in names)
