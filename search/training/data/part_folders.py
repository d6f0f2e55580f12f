"""Folders that are parts of the data, told from folders that are classes, by their names.

Taking one for the other is no small mistake: a network learns to tell `train` from `test`, or trains on the images
that were to test it. So a name that may be either is refused, and the layouts that are read are named.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from search.training.data.errors import DataError

NAMES: Mapping[str, str] = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""The part that a folder is, by its name in lower case."""

# A train is also a thing to photograph, and `valid` the opposite of `invalid`.
_ALSO_CLASSES = frozenset({"train", "training", "valid"})
_FILLERS = frozenset({"set", "data", "dataset", "split", "image", "images", "img", "imgs", "picture", "pictures"})
_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_LAYOUTS = (
    "lay the images out as CLASS/IMAGE, or as train/CLASS/IMAGE with test/CLASS/IMAGE and val/CLASS/IMAGE where there "
    "are such parts (also training, testing, valid, validation), leave out images whose class is not known, and "
    "rename a class that is called like a part"
)


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in a folder, by name, without hidden ones; links to folders are among them."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def part_folders(folder: Path) -> dict[str, Path]:
    """The folder of each part, `train` always among them; only `train`, the folder itself, if it holds classes.

    Raises:
        DataError: if folders are named after parts, but are not laid out as parts.
    """
    folders = folders_in(folder)
    if not speak_of_parts(folders):
        return {"train": folder}
    parts: dict[str, Path] = {}
    for path in folders:
        part = NAMES.get(path.name.lower())
        if part is None:
            raise _refusal(f"{folder} has folders named after parts of the data ({_listed(folders)}), and {path.name}")
        if part in parts:
            raise _refusal(f"{folder} has the {part} part twice, in {parts[part].name} and {path.name}")
        if not folders_in(path):
            raise _refusal(f"{path}, which is named after a part of the data, has no folders for the classes")
        parts[part] = path
    if "train" not in parts:
        raise _refusal(f"{folder} has parts of the data ({_listed(folders)}), but none to train on")
    return parts


def speak_of_parts(folders: Sequence[Path]) -> bool:
    """Whether the folders, all those beside each other, are named after parts of the data rather than classes.

    They are if all of them are; if two bear one name but for the part (`seg_train` and `seg_test`); or if one has
    a name that is hardly a class': `test`, or a `train` which only holds folders.
    """
    parts_by_rest: dict[str, set[str]] = defaultdict(set)
    for path in folders:
        part, rest = _part_and_rest(path.name)
        if part is None:
            continue
        parts_by_rest[rest].add(NAMES[part])
        if not rest and (part not in _ALSO_CLASSES or _holds_only_folders(path)):
            return True
    n_named = sum(path.name.lower() in NAMES for path in folders)
    return any(len(parts) > 1 for parts in parts_by_rest.values()) or 0 < n_named == len(folders)


def nested_parts(folder: Path, folders: Sequence[Path]) -> DataError:
    """The error for a class with parts in it."""
    return _refusal(f"{folder} holds the images of a class, but has folders named after parts ({_listed(folders)})")


def _part_and_rest(name: str) -> tuple[str | None, str]:
    """The word for a part in a folder's name, and its other words: `seg_train` is `train` and `seg`."""
    words = [word.lower().removesuffix("set") for word in _WORD.findall(name)]
    part = next((word for word in words if word in NAMES), None)
    return part, " ".join(word for word in words if word and word != part and word not in _FILLERS)


def _holds_only_folders(folder: Path) -> bool:
    return bool(folders_in(folder)) and not any(
        path.is_file() and not path.name.startswith(".") for path in folder.iterdir()
    )


def _refusal(found: str) -> DataError:
    return DataError(f"folders must be classes, or parts with a folder for each class in them, but {found}; {_LAYOUTS}")


def _listed(folders: Sequence[Path]) -> str:
    names = [path.name for path in folders if _part_and_rest(path.name)[0]]
    return ", ".join(names)
