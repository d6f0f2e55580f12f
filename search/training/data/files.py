"""A file of a data set: on disk or inside a zip archive, gzip or plain."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from search.training.data.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
# zlib's technical notes: deflate makes nothing smaller than one 1,032nd.
_MOST_EXPANSION = 1032
_AGAIN = "fetch or copy it again"


@dataclass(frozen=True)
class DataFile:
    """Where a file is; nothing is read before `open`."""

    path: Path
    member: str | None = None
    """Name inside the zip archive at `path`; None for a file on disk."""
    stored_bytes: int = 0
    """Bytes as stored, before gunzipping."""

    def __str__(self) -> str:
        return f"{self.path}" if self.member is None else f"{self.path} ({self.member})"

    @property
    def most_bytes(self) -> int:
        """No more bytes than this can come out of the file: a guard against absurd headers."""
        return self.stored_bytes * _MOST_EXPANSION

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The content as a stream, gunzipped where it is gzip (told by its first bytes, not its name).

        Raises:
            DataError: if it cannot be opened, or turns out damaged while it is read.
        """
        try:
            with ExitStack() as stack:
                yield _stream(self, stack)
        except EOFError as error:
            raise DataError(f"{self} ends too early: it is truncated; {_AGAIN}") from error
        except (gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
            raise DataError(f"{self} is corrupt ({error}); {_AGAIN}") from error
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{self} cannot be read ({reason}); check the path and its permissions") from error


def _stream(file: DataFile, stack: ExitStack) -> IO[bytes]:
    if file.member is None:
        raw: IO[bytes] = stack.enter_context(file.path.open("rb"))
    else:
        archive = stack.enter_context(zipfile.ZipFile(file.path))
        raw = stack.enter_context(archive.open(file.member))
    is_gzip = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    if not is_gzip:
        return raw
    return cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))


def files_of_folder(folder: Path) -> Mapping[str, DataFile]:
    """The files directly in a folder, by name; none where it is missing or may not be read."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: DataFile(Path(entry.path), stored_bytes=entry.stat().st_size)
                for entry in entries
                if entry.is_file()
            }
    except OSError:
        return {}


def files_of_zip(path: Path) -> Mapping[str, DataFile]:
    """The files in a zip archive, by name without folder.

    Raises:
        DataError: if it is no readable zip archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                Path(member.filename).name: DataFile(path, member.filename, member.file_size)
                for member in archive.infolist()
                if not member.is_dir() and not member.filename.startswith("__MACOSX/")
            }
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} is no readable zip archive ({error}); delete it and fetch it again") from error
