"""`hpsearch data fetch`: bring a source onto this machine."""

from __future__ import annotations

import os
from pathlib import Path

from search.training.data.download import Archive, Progress, download
from search.training.data.emnist import (
    ARCHIVE_BYTES,
    ARCHIVE_NAME,
    ARCHIVE_SHA256,
    ARCHIVE_URL,
    default_data_folder,
    find_emnist,
    missing_emnist,
)
from search.training.data.errors import DataError
from search.training.data.sources import BUNDLED, EMNIST, check_name

URL_VARIABLE = "HPSEARCH_EMNIST_URL"

EMNIST_ARCHIVE = Archive(ARCHIVE_URL, ARCHIVE_BYTES, ARCHIVE_SHA256)
"""NIST's archive of IDX files: all six splits."""


def fetch(
    name: str,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    url: str | None = None,
    archive: Archive = EMNIST_ARCHIVE,
) -> str:
    """Download what `name` needs, unless it is on this machine; returns where it is.

    Args:
        name: `emnist-…`; the six splits come in one archive. `mnist-5k` is always there.
        folder: data folder; None for `$HPSEARCH_DATA`, else `~/.cache/hpsearch`.
        progress: called with bytes done and bytes in all.
        url: a mirror of the same file; None for `$HPSEARCH_EMNIST_URL`, else NIST.
        archive: what to download; its address gives way to `url`.

    Raises:
        DataError: if there is no such source, it is none to download, or the download fails.
    """
    check_name(name)
    if name == BUNDLED:
        return "bundled"
    if name not in EMNIST:
        raise DataError(
            f"only {EMNIST[0]} and its kin can be fetched, but got {name!r}; Keras downloads its own sets "
            "when they are first used, and paths are read where they are"
        )
    data_folder = default_data_folder() if folder is None else Path(folder)
    split = name.removeprefix("emnist-")
    if found := find_emnist(split, data_folder):
        return found.place
    address = url or os.environ.get(URL_VARIABLE) or archive.url
    target = data_folder / ARCHIVE_NAME
    try:
        download(Archive(address, archive.n_bytes, archive.sha256), target, progress)
    except DataError as error:
        raise DataError(
            f"{error}. By hand: put {ARCHIVE_NAME} into {data_folder}; a mirror is named by ${URL_VARIABLE}. "
            "Without a download: `--data mnist-5k`"
        ) from error
    if found := find_emnist(split, data_folder):
        return found.place
    raise missing_emnist(split, data_folder)
