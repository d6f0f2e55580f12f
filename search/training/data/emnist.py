"""EMNIST: its six splits, and where on this machine their files are.

Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of MNIST to handwritten letters", 2017.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from search.training.data.errors import DataError
from search.training.data.files import DataFile, files_of_folder, files_of_zip
from search.training.data.layout import IdxSet, emnist_set

ARCHIVE_URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
ARCHIVE_NAME = "gzip.zip"
ARCHIVE_BYTES = 561_753_746
ARCHIVE_SHA256 = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
DATA_FOLDER_VARIABLE = "HPSEARCH_DATA"

_ARCHIVE_NAMES = (ARCHIVE_NAME, "emnist.zip", "emnist-gzip.zip")
_DIGITS = tuple(string.digits)
_UPPER = tuple(string.ascii_uppercase)
# Where upper and lower case look alike, EMNIST merges them; these eleven keep a class of their own.
_MERGED = (*_DIGITS, *_UPPER, *"abdefghnqrt")


@dataclass(frozen=True)
class Split:
    """One of EMNIST's six splits, as published."""

    classes: tuple[str, ...]
    n_train: int
    n_test: int
    first_label: int = 0
    """The label that stands for the first class in the files."""


SPLITS: Mapping[str, Split] = {
    "balanced": Split(_MERGED, 112_800, 18_800),
    "byclass": Split((*_DIGITS, *_UPPER, *string.ascii_lowercase), 697_932, 116_323),
    "bymerge": Split(_MERGED, 697_932, 116_323),
    "letters": Split(_UPPER, 124_800, 20_800, first_label=1),
    "digits": Split(_DIGITS, 240_000, 40_000),
    "mnist": Split(_DIGITS, 60_000, 10_000),
}
"""The text after `emnist-` in a source's name, and in the names of its files."""


def default_data_folder() -> Path:
    """`$HPSEARCH_DATA`, else `~/.cache/hpsearch`; it need not exist."""
    named = os.environ.get(DATA_FOLDER_VARIABLE)
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "hpsearch"


def find_emnist(split: str, folder: Path) -> IdxSet | None:
    """The files of a split in `folder` or in a folder up to two below; None if there are none.

    Extracted files are preferred to NIST's archive, and the upper folder to the lower; among
    folders of one level the first by name is taken.

    Raises:
        DataError: if a set is not complete, or an archive that should hold it cannot be read.
    """
    places = list(_places(folder))
    for place in places:
        if found := emnist_set(split, files_of_folder(place), str(place)):
            return found
    archives = [place / name for place in places for name in _ARCHIVE_NAMES if (place / name).is_file()]
    for archive in archives:
        if found := emnist_set(split, files_of_zip(archive), str(archive)):
            return found
    if archives:
        raise DataError(
            f"{archives[0]} holds no emnist-{split} files; replace it by NIST's archive of IDX files: "
            f"`hpsearch data fetch emnist-{split}`"
        )
    return None


def missing_emnist(split: str, folder: Path) -> DataError:
    """The error for a split that is not on this machine: what to fetch, where to put it, what else works."""
    return DataError(
        f"emnist-{split} is not on this machine (looked in {folder} and the folders in it). Fetch it with "
        f"`hpsearch data fetch emnist-{split}`, or download {ARCHIVE_URL} "
        f"({ARCHIVE_BYTES / 1e6:.0f} MB) and put it there as {folder / ARCHIVE_NAME}; another folder is named by "
        f"${DATA_FOLDER_VARIABLE}. Without a download: `--data mnist-5k`"
    )


def class_codes(mapping: DataFile) -> dict[int, str]:
    """Class name by label, from a `mapping.txt`: lines of a label and one or more character codes.

    Raises:
        DataError: if a line is not that, or a label comes twice.
    """
    names: dict[int, str] = {}
    with mapping.open() as stream:
        lines = stream.read().decode("ascii", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            label, code, *_ = map(int, line.split())
            known = label in names
            names[label] = chr(code)
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"each line of {mapping} must be a label and a character code, but line {number} is {line!r}; "
                "fetch it again"
            ) from error
        if known or not 0 <= label <= 255:
            raise DataError(f"{mapping}, line {number}: label {label} comes twice or is not a byte; fetch it again")
    if not names:
        raise DataError(f"{mapping} is empty; fetch it again")
    return dict(sorted(names.items()))


def _places(folder: Path) -> Iterator[Path]:
    level = [folder]
    for _ in range(3):
        yield from level
        level = [below for place in level for below in _folders_in(place)]


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except OSError:
        return []
