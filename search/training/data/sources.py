"""The text that names a data source, and which reader it means.

Nothing heavy is imported before a source is read: listing and checking names stay quick.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search.training.data.emnist import SPLITS, find_emnist
from search.training.data.errors import DataError

if TYPE_CHECKING:
    from search.training.data.parts import Parts

BUNDLED = "mnist-5k"
EMNIST = tuple(f"emnist-{split}" for split in SPLITS)
KERAS = tuple(f"keras:{name}" for name in ("mnist", "fashion_mnist", "cifar10", "cifar100"))
PATHS = {
    "idx": "FOLDER",
    "folder": "PATH",
    "npz": "FILE",
}
"""Sources that name a place, and what they name."""


@dataclass(frozen=True)
class SourceRow:
    """One line of `hpsearch data list`."""

    source: str
    """As it is written after `--data`."""
    n_train: int | None
    """Images for training and validation; None where the files decide."""
    n_test: int | None
    n_classes: int | None
    on_disk: bool | None
    """None where it depends on the path, or on what Keras has downloaded."""
    place: str
    """Where it is, or what to do to get it."""


def read_source(source: str, data_folder: Path) -> Parts:
    """Read a source into memory.

    Args:
        source: as in a space file; relative paths count from the current folder.
        data_folder: where EMNIST is looked for.

    Raises:
        DataError: if there is no such source, or it cannot be used.
    """
    check_name(source)
    kind, _, rest = source.partition(":")
    if source == BUNDLED:
        from search.training.data.digits import read_digits

        return read_digits()
    if kind == "keras":
        from search.training.data.keras_sets import read_keras

        return read_keras(rest)
    if kind == "npz":
        from search.training.data.arrays import read_npz

        return read_npz(Path(rest).expanduser())
    if kind == "folder":
        from search.training.data.folder import read_folder

        return read_folder(Path(rest).expanduser())
    from search.training.data.idx_source import read_emnist, read_idx_folder

    if kind == "idx":
        return read_idx_folder(Path(rest).expanduser())
    return read_emnist(source.removeprefix("emnist-"), data_folder)


def check_name(source: str) -> None:
    """Refuse a text that names no source; whether its files exist is not looked at.

    Raises:
        DataError: naming the sources there are, and the one that was probably meant.
    """
    kind, colon, rest = source.partition(":")
    named = (BUNDLED, *EMNIST, *KERAS)
    if source in named or (kind in PATHS and rest):
        return
    if kind in PATHS and colon:
        raise DataError(f"{kind}: must be followed by a path, but got {source!r}; write {kind}:{PATHS[kind]}")
    close = difflib.get_close_matches(source, named, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    paths = ", ".join(f"{name}:{what}" for name, what in PATHS.items())
    raise DataError(
        f"a data source must be {BUNDLED}, emnist-{{{','.join(SPLITS)}}}, {paths} or "
        f"{', '.join(KERAS)}, but got {source!r}{hint}"
    )


def absolute_source(source: str, folder: Path) -> str:
    """The source with its path made absolute, counted from `folder`; a source without a path as it is.

    `~` is the home folder. Links are kept. A study stores this form, so that a worker started
    in another folder finds the same files.
    """
    kind, _, rest = source.partition(":")
    if kind not in PATHS or not rest:
        return source
    return f"{kind}:{os.path.abspath(folder / Path(rest).expanduser())}"  # noqa: PTH100  keeps links


def list_sources(data_folder: Path) -> tuple[SourceRow, ...]:
    """All sources, those with a name of their own first; reads no images."""
    return (
        SourceRow(BUNDLED, 4_000, 1_000, 10, on_disk=True, place="bundled"),
        *(_emnist_row(split, data_folder) for split in SPLITS),
        *(SourceRow(name, None, None, None, None, "downloaded by Keras when first used") for name in KERAS),
        SourceRow("idx:FOLDER", None, None, None, None, "IDX files as EMNIST, MNIST, Fashion-MNIST ship them"),
        SourceRow(
            "folder:PATH", None, None, None, None, "one sub-folder of images a class, also within train, val, test"
        ),
        SourceRow("npz:FILE", None, None, None, None, "x_train, y_train; also x_val, y_val and x_test, y_test"),
    )


def _emnist_row(split: str, data_folder: Path) -> SourceRow:
    """Counts are those of the files that are here, else those published."""
    from search.training.data.idx import count_labels

    name, published = f"emnist-{split}", SPLITS[split]
    counts = (published.n_train, published.n_test, len(published.classes))
    try:
        found = find_emnist(split, data_folder)
        if found is None:
            return SourceRow(name, *counts, on_disk=False, place=f"hpsearch data fetch {name}")
        n_train = count_labels(found.train[1])
        n_test = count_labels(found.test[1]) if found.test else 0
    except DataError as error:
        return SourceRow(name, *counts, on_disk=False, place=str(error))
    return SourceRow(name, n_train, n_test, counts[2], on_disk=True, place=found.place)
