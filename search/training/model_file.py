"""A `.keras` file, looked through before Keras opens it: it may be somebody else's."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

from search.training.errors import ModelFileError
from search.training.foreign import foreign_parts

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
_MEMBERS = ("metadata.json", _CONFIG, _WEIGHTS)
_MAX_CONFIG = 1 << 24  # bytes; the largest network of keras.applications has a tenth of it


def check_model_file(file: Path) -> None:
    """Refuse a model file that holds more than a network of Keras' own layers and its weights.

    Nothing is built, run or unpacked, and no other file is opened. What passes takes no more
    memory for its weights than it takes on the disk: members of the archive are stored as they are,
    as Keras writes them, and so are the arrays in it.

    Raises:
        ModelFileError: for an archive with other members, packed ones or overlapping ones; layers or
            functions from elsewhere, or such as run code or read files; weights that lead to
            another file, are packed, or are no numbers.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, file.stat().st_size)
            _check_config(archive.read(_CONFIG))
            _check_weights(archive)
    except (OSError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{file} must be a model that `hpsearch export` wrote, but {error}") from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    if sorted(member.filename for member in members) != sorted(_MEMBERS):
        found = ", ".join(repr(member.filename) for member in members[:8])
        raise ModelFileError(f"the archive must hold {', '.join(_MEMBERS)}, but holds {found}")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise ModelFileError(f"{member.filename} is packed: it may be far larger than it looks")
    if sum(member.file_size for member in members) > size:
        raise ModelFileError("its members overlap")
    if archive.getinfo(_CONFIG).file_size > _MAX_CONFIG:
        raise ModelFileError(f"its {_CONFIG} is larger than that of any network ({_MAX_CONFIG:,} bytes)")


def _check_config(text: bytes) -> None:
    if foreign := next(foreign_parts(json.loads(text)), None):
        raise ModelFileError(f"it holds {foreign!r}, which is no layer of Keras, or one that runs code or reads files")


def _check_weights(archive: zipfile.ZipFile) -> None:
    import h5py

    with archive.open(_WEIGHTS) as stream, h5py.File(stream, "r") as weights:
        _check_group(weights, set())


def _check_group(group: h5py.Group, seen: set[int]) -> None:
    import h5py

    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ModelFileError(f"its weights {name!r} lead elsewhere ({type(link).__name__})")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            raise ModelFileError(f"its weights {name!r} are there twice")
        seen.add(address)
        if isinstance(item, h5py.Group):
            _check_group(item, seen)
        else:
            _check_array(name, item)


def _check_array(name: str, array: Any) -> None:
    if getattr(array, "external", None) or getattr(array, "is_virtual", False):
        raise ModelFileError(f"its weights {name!r} lie in another file")
    if array.dtype.kind not in "biufV" or array.dtype.hasobject:
        raise ModelFileError(f"its weights {name!r} must be numbers, but are {array.dtype}")
    if array.nbytes > array.id.get_storage_size():
        raise ModelFileError(f"its weights {name!r} are packed: they may be far larger than they look")
