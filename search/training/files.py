"""The files in a trial's folder: their names, and how they are written so that none is ever half there.

Neither Keras nor NumPy is needed for names and removal, so the worker may use them too.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

_N_KEPT = 2
_CHUNK = 1 << 20  # bytes


def checkpoint_arrays(folder: Path, images: int) -> Path:
    """Weights, optimizer and seeds after training on `images` images."""
    return _path(folder, "checkpoint", images, ".npz")


def checkpoint_manifest(folder: Path, images: int) -> Path:
    """The checkpoint's state and the checksum of its arrays; written last, it makes them count."""
    return _path(folder, "checkpoint", images, ".json")


def best_weights(folder: Path, images: int) -> Path:
    """Weights of the best judgement, which was made after `images` images."""
    return _path(folder, "best", images, ".npz")


def best_confusion(folder: Path, images: int) -> Path:
    """Confusion counts of the best judgement."""
    return _path(folder, "confusion", images, ".json")


def checkpoints(folder: Path) -> list[int]:
    """Images at which there is a checkpoint's manifest, newest first; it may yet be damaged."""
    return sorted(_found(folder, "checkpoint", ".json"), reverse=True)


def prune(folder: Path) -> None:
    """Remove what no trial will go on from, and what a killed process left half written.

    The last two checkpoints stay, and of the best judgements the last two and those that these
    checkpoints speak of: where the disk is full, checkpoints are older than what is best now.
    """
    kept = checkpoints(folder)[:_N_KEPT]
    for ending in (".json", ".npz"):  # also arrays that never got their manifest
        for images in set(_found(folder, "checkpoint", ending)).difference(kept):
            _path(folder, "checkpoint", images, ending).unlink(missing_ok=True)
    needed = {_best_of(folder, images) for images in kept}
    for kind, ending in (("best", ".npz"), ("confusion", ".json")):
        for images in sorted(_found(folder, kind, ending), reverse=True)[_N_KEPT:]:
            if images not in needed:
                _path(folder, kind, images, ending).unlink(missing_ok=True)
    _remove(folder.glob("*.part"))


def remove_beyond(folder: Path, images: int) -> None:
    """Remove what was left beyond so many images, where a trial goes on from there or (0) begins anew.

    It was damaged, or is another trial's: newer by its name, it would outlive what this one writes.
    """
    for kind, endings in (("checkpoint", (".json", ".npz")), ("best", (".npz",)), ("confusion", (".json",))):
        for ending in endings:
            _remove(_path(folder, kind, found, ending) for found in _found(folder, kind, ending) if found > images)


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of a trial that will not be continued; its best weights stay."""
    _remove(folder.glob("checkpoint-*"))
    _remove(folder.glob("*.part"))


def write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a file as a whole or not at all: beside it, to the disk, then under its name.

    Raises:
        OSError: if there is no room; an earlier file of this name is left as it was.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:  # never through a link that stands there
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all; NaN is refused."""
    write(path, lambda file: file.write(json.dumps(value, allow_nan=False).encode()))


def write_arrays(path: Path, arrays: Sequence[NDArray[Any]]) -> None:
    """Write arrays in order, as an uncompressed `.npz`, whole or not at all."""
    import numpy as np

    named: dict[str, Any] = {f"{index:05d}": array for index, array in enumerate(arrays)}
    write(path, lambda file: np.savez(file, **named))


def read_arrays(path: Path) -> list[NDArray[np.generic]]:
    """The arrays that `write_arrays` wrote, in order.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: if the file is missing or damaged.
    """
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        return [file[name] for name in sorted(file.files)]


def sha256(path: Path) -> str:
    """Checksum of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _path(folder: Path, kind: str, images: int, ending: str) -> Path:
    return folder / f"{kind}-{images:09d}{ending}"


def _best_of(folder: Path, images: int) -> int | None:
    """Images at the best judgement that a checkpoint speaks of; None where it cannot be read."""
    try:
        best: int = json.loads(checkpoint_manifest(folder, images).read_bytes())["state"]["best_images"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return best


def _found(folder: Path, kind: str, ending: str) -> list[int]:
    pattern = re.compile(rf"{kind}-(\d{{9,}}){re.escape(ending)}")
    matches = (pattern.fullmatch(path.name) for path in folder.glob(f"{kind}-*{ending}"))
    return [int(match[1]) for match in matches if match]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
