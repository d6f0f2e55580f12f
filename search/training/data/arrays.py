"""`npz:FILE`: arrays saved by NumPy."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError
from search.training.data.parts import Parts, checked_parts

_NAMINGS = (
    ("x_train", "y_train", "x_test", "y_test"),  # as Keras ships its own
    ("images", "labels", "test_images", "test_labels"),
)


def read_npz(file: Path) -> Parts:
    """Arrays `x_train, y_train[, x_test, y_test]` or `images, labels[, test_images, test_labels]`.

    Images as `checked_parts` takes them; an array of strings `classes` may name the classes, else their numbers do.
    Pickled objects are refused.

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
    naming = next((names for names in _NAMINGS if names[0] in arrays and names[1] in arrays), None)
    if naming is None:
        raise DataError(
            f"an npz file must hold {' and '.join(_NAMINGS[0][:2])}, or {' and '.join(_NAMINGS[1][:2])}, but {file} "
            f"holds {', '.join(arrays) or 'nothing'}; write it again with these names"
        )
    images, labels, test_images, test_labels = naming
    if (test_images in arrays) != (test_labels in arrays):
        raise DataError(
            f"{test_images} and {test_labels} belong together, but {file} has only one; add the other or leave both out"
        )
    test = (arrays[test_images], arrays[test_labels]) if test_images in arrays else None
    classes = _classes(file, arrays["classes"]) if "classes" in arrays else None
    return checked_parts(str(file), (arrays[images], arrays[labels]), test, classes)


def _classes(file: Path, names: NDArray[Any]) -> tuple[str, ...]:
    if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) != len(names):
        raise DataError(
            f"`classes` must be distinct strings, one a class, but in {file} it is {names.dtype} of shape "
            f'{names.shape}, {len(np.unique(names))} distinct; write it as numpy.array(["cat", "dog"])'
        )
    return tuple(str(name) for name in names)
