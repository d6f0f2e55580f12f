"""Which files of a folder or an archive make up one IDX data set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from search.training.data.errors import DataError
from search.training.data.files import DataFile

_EMNIST_NAME = re.compile(r"emnist-(\w+)-train-images[-.]idx3-ubyte(\.gz)?")


@dataclass(frozen=True)
class IdxSet:
    """The files of one data set."""

    train: tuple[DataFile, DataFile]
    """Images and labels."""
    test: tuple[DataFile, DataFile] | None
    mapping: DataFile | None
    """Labels to character codes."""
    split: str | None
    """The name in `emnist-NAME-…`, whose images are stored transposed; None for MNIST's own names."""

    @property
    def place(self) -> str:
        """Where the set is, for a person."""
        images = self.train[0]
        return str(images.path if images.member else images.path.parent)


def emnist_set(split: str, files: Mapping[str, DataFile], place: str) -> IdxSet | None:
    """The set named `emnist-SPLIT-…` among `files`; None if its training images are not there.

    Raises:
        DataError: if the training images are there and another needed file is not.
    """
    train = _pair(files, f"emnist-{split}-train", place)
    if train is None:
        return None
    mapping = files.get(f"emnist-{split}-mapping.txt") or files.get("mapping.txt")
    return IdxSet(train, _pair(files, f"emnist-{split}-test", place), mapping, split)


def any_set(files: Mapping[str, DataFile], place: str) -> IdxSet:
    """The one set among `files`: EMNIST's names, or MNIST's and Fashion-MNIST's (`train-…`, `t10k-…`).

    Raises:
        DataError: if there is none, more than one, or a file of it is missing.
    """
    splits = sorted({match[1] for name in files if (match := _EMNIST_NAME.fullmatch(name))})
    if len(splits) > 1:
        raise DataError(
            f"an idx: folder must hold one data set, but {place} holds EMNIST's {', '.join(splits)}; use "
            f"`emnist-{splits[0]}` with HPSEARCH_DATA={place}, or move one set to a folder of its own"
        )
    plain = _pair(files, "train", place)
    if splits and plain:
        raise DataError(
            f"an idx: folder must hold one data set, but {place} holds MNIST's names and EMNIST's; "
            "move one set to a folder of its own"
        )
    if splits:
        found = emnist_set(splits[0], files, place)
        assert found is not None
        return found
    if plain is None:
        raise DataError(
            f"{place} holds no IDX training images; it must hold train-images-idx3-ubyte and "
            "train-labels-idx1-ubyte (and t10k-… for the test part), or emnist-NAME-train-…, as they are or with .gz"
        )
    return IdxSet(plain, _pair(files, "t10k", place), files.get("mapping.txt"), None)


def _pair(files: Mapping[str, DataFile], part: str, place: str) -> tuple[DataFile, DataFile] | None:
    images, labels = _find(files, f"{part}-images-idx3-ubyte"), _find(files, f"{part}-labels-idx1-ubyte")
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        missing = f"{part}-{'images-idx3' if images is None else 'labels-idx1'}-ubyte"
        raise DataError(
            f"images and labels belong together, but {place} lacks {missing} (or {missing}.gz); put it there"
        )
    return images, labels


def _find(files: Mapping[str, DataFile], name: str) -> DataFile | None:
    # Some unpackers write `images.idx3-ubyte`, as the files were once named.
    names = [base + suffix for base in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    return next((files[candidate] for candidate in names if candidate in files), None)
