"""A set of IDX files, made into parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.training.data import emnist
from search.training.data.errors import DataError
from search.training.data.files import DataFile, files_of_folder
from search.training.data.idx import read_images, read_labels
from search.training.data.layout import IdxSet, any_set
from search.training.data.parts import Images, Labels, Parts, checked_parts

_NO_CLASS = -1
_RENUMBER = "put a mapping.txt beside them, with a line for each label: the label and the code of a character"


def read_emnist(split: str, folder: Path) -> Parts:
    """A split of EMNIST from files in the data folder; images stand upright, labels start at 0.

    Raises:
        DataError: if it is not on this machine, or a file is damaged.
    """
    found = emnist.find_emnist(split, folder)
    if found is None:
        raise emnist.missing_emnist(split, folder)
    return read_set(found)


def read_idx_folder(folder: Path) -> Parts:
    """The IDX files of a folder, gzip or plain, under the names of EMNIST or of MNIST.

    Raises:
        DataError: if the folder does not exist, holds no set or several, or a file is damaged.
    """
    if not folder.is_dir():
        raise DataError(f"idx: needs a folder of IDX files, but {folder} is none; check the path")
    return read_set(any_set(files_of_folder(folder), str(folder)))


def read_set(files: IdxSet) -> Parts:
    """Read all files of a set.

    Raises:
        DataError: if one is damaged, or does not fit the others.
    """
    names = _class_names(files)
    train = _read_pair(files.train, files, names)
    test = None if files.test is None else _read_pair(files.test, files, names)
    classes = None if names is None else tuple(names.values())
    return checked_parts(files.place, train=train, test=test, classes=classes, renumber=_RENUMBER)


def _class_names(files: IdxSet) -> dict[int, str] | None:
    """Class name by label as written in the files; None where only the labels themselves tell."""
    if files.mapping is not None:
        return emnist.class_codes(files.mapping)
    split = emnist.SPLITS.get(files.split or "")
    return None if split is None else dict(enumerate(split.classes, split.first_label))


def _read_pair(pair: tuple[DataFile, DataFile], files: IdxSet, names: dict[int, str] | None) -> tuple[Images, Labels]:
    raw = read_labels(pair[1])
    labels = raw.astype(np.int64) if names is None else _indices(raw, names, pair[1])
    return read_images(pair[0], n_labels=len(raw), transposed=files.split is not None), labels


def _indices(raw: NDArray[np.uint8], names: dict[int, str], file: DataFile) -> Labels:
    table = np.full(256, _NO_CLASS, np.int64)
    table[list(names)] = np.arange(len(names))
    labels = table[raw]
    wrong = np.flatnonzero(labels == _NO_CLASS)
    if len(wrong):
        raise DataError(
            f"labels must be from {min(names)} to {max(names)} as its mapping says, but in {file} label "
            f"{wrong[0]} is {raw[wrong[0]]} ({len(wrong):,} such in all); labels and mapping belong to different "
            "sets: fetch or copy both again"
        )
    return labels
