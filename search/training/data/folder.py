"""`folder:PATH`: images as files, one sub-folder a class."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from search.training.data.errors import DataError
from search.training.data.image_files import SUFFIXES, ImageKind, common_kind, is_image, read_images
from search.training.data.part_folders import folders_in, nested_parts, part_folders, speak_of_parts
from search.training.data.parts import Pair, Parts, checked_parts

_Labelled = list[tuple[Path, int]]
"""Image files, each with its label."""


def read_folder(folder: Path) -> Parts:
    """The images of a folder; classes are its sub-folders by name, images are taken by file name.

    Folders within a class belong to the class, at any depth. If the sub-folders are `train` and perhaps `val` and
    `test` (see `part_folders`), they are the parts, and hold the classes. Images are turned as their EXIF
    orientation says. Grey files stay one channel, unless there are colour files too; transparency is
    dropped. All must have one size: nothing is resized here.

    Raises:
        DataError: if there are fewer than two classes, a class without images, a file that is damaged, of
            another size, or not of 8 bits a channel; or if folders are named after parts and not laid out so.
    """
    if not folder.is_dir():
        raise DataError(f"folder: needs a folder with one sub-folder a class, but {folder} is none; check the path")
    parts = part_folders(folder)
    classes = tuple(path.name for path in folders_in(parts["train"]))
    if len(classes) < 2:
        raise DataError(
            f"{parts['train']} must have two sub-folders or more, one a class, but has {len(classes)}; "
            "sort the images into a folder for each class"
        )
    files = {part: _files_by_class(path, classes) for part, path in parts.items()}
    kind = common_kind([path for part in files.values() for path, _ in part])
    return checked_parts(
        str(folder),
        train=_read(files["train"], kind),
        validation=_read(files["validation"], kind) if "validation" in files else None,
        test=_read(files["test"], kind) if "test" in files else None,
        classes=classes,
    )


def _files_by_class(folder: Path, classes: tuple[str, ...]) -> _Labelled:
    """Each image file of the folder with its label."""
    if unknown := [path.name for path in folders_in(folder) if path.name not in classes]:
        raise DataError(f"{folder} has a class {unknown[0]!r} that the training part lacks; add or remove it")
    files: _Labelled = []
    for label, name in enumerate(classes):
        own = _images_of(folder / name)
        if not own:
            raise DataError(
                f"each class needs images, but {folder / name} has no file ending in one of "
                f"{', '.join(sorted(SUFFIXES))}; add images or remove the folder"
            )
        files += [(path, label) for path in own]
    return files


def _images_of(class_folder: Path) -> list[Path]:
    """The image files of a class, also in folders below, in Keras' order: folder by folder, each by name.

    Links to files and to the class itself are followed. Links to folders below it are not, as in Keras: they may
    lead out of the class, or round in a circle.
    """
    if not class_folder.is_dir():
        return []
    files: list[Path] = []
    waiting = [class_folder]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
        below = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
        if speak_of_parts(below):
            raise nested_parts(folder, below)
        waiting += below
        files += [path for entry in entries if is_image(path := Path(entry.path))]
    return sorted(files, key=lambda path: (str(path.parent), path.name))


def _read(files: _Labelled, kind: ImageKind) -> Pair:
    return read_images([path for path, _ in files], kind), np.array([label for _, label in files], np.int64)
