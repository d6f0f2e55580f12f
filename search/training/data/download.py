"""One large file over HTTP: carried on where it broke off, checked, and only then given its name."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from search.training.data.errors import DataError

Progress = Callable[[int, int], None]
"""Called with bytes on disk and bytes in all, every quarter of a megabyte."""

_BLOCK = 1 << 18  # bytes
_TIMEOUT = 60.0  # seconds without a byte
_TRIES = 3  # without a byte, once there has been one
_WAIT = 1.0  # seconds between such tries
_BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


@dataclass(frozen=True)
class Archive:
    """A file to download, and how to know it."""

    url: str
    n_bytes: int
    sha256: str


def download(archive: Archive, target: Path, progress: Progress | None = None) -> None:
    """Download to `target`; nothing happens if it is there already.

    What has come is kept as `target.part`, so that the next call goes on from there (HTTP Range;
    a server without it sends all again). `target` appears complete and checked, or not at all.

    Raises:
        DataError: if the server cannot be reached, has another file, or the disk is full; or if
            another process is downloading the same file.
    """
    if urlsplit(archive.url).scheme not in {"http", "https"}:
        raise DataError(f"a download needs an address that begins with http:// or https://, but got {archive.url!r}")
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            if not target.exists():
                _transfer(archive, part, progress)
                _check(archive, part)
                part.replace(target)
    except OSError as error:
        raise DataError(
            f"{error.filename or part} cannot be written ({error.strerror or error}); {archive.n_bytes / 1e6:.0f} MB "
            "are needed: free space, or choose another folder"
        ) from error


def _transfer(archive: Archive, part: Path, progress: Progress | None) -> None:
    """Bring `part` to its full size, over as many connections as that takes."""
    tries = 1
    while (before := _size(part)) != archive.n_bytes:
        if before > archive.n_bytes:
            part.unlink()
            continue
        try:
            _receive(archive, part, before, progress)
        except _BROKEN as error:
            tries = _TRIES if _size(part) > before else tries - 1
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if tries == 0 or refused:
                raise DataError(
                    f"{archive.url} cannot be fetched ({_reason(error)}); {_size(part):,} of {archive.n_bytes:,} "
                    "bytes are kept. Check the network and call it again: it goes on from there"
                ) from error
            time.sleep(_WAIT)


def _receive(archive: Archive, part: Path, start: int, progress: Progress | None) -> None:
    """Append to `part` what one connection gives."""
    headers = {"User-Agent": "hpsearch", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(archive.url, headers=headers)  # noqa: S310  http and https only, see download
    with _opened(request) as reply:
        resumed = reply.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        done = start if resumed else 0
        _check_offer(archive, reply, done)
        with part.open("ab" if resumed else "wb") as out:
            while block := reply.read(_BLOCK):
                done += len(block)
                if done > archive.n_bytes:
                    raise _other_file(archive, "more")
                out.write(block)
                if progress is not None:
                    progress(done, archive.n_bytes)
            out.flush()
            os.fsync(out.fileno())
    if done < archive.n_bytes:
        raise ConnectionError("the connection ended early")


def _opened(request: urllib.request.Request) -> Any:
    """The server's reply, to be closed by the caller."""
    try:
        return urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        raise


def _check_offer(archive: Archive, reply: Any, done: int) -> None:
    length = reply.headers.get("Content-Length")
    if length is not None and done + int(length) != archive.n_bytes:
        raise _other_file(archive, f"{done + int(length):,}")


def _other_file(archive: Archive, offered: str) -> DataError:
    return DataError(
        f"{archive.url} must have {archive.n_bytes:,} bytes, but the server offers {offered}: "
        "it is another file, or an error page; name a mirror of the same file"
    )


def _check(archive: Archive, part: Path) -> None:
    with part.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != archive.sha256:
        part.unlink()
        raise DataError(
            f"what came from {archive.url} must have the sha256 {archive.sha256}, but has {found}; it was deleted: "
            "fetch it again, or name another mirror"
        )


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    with target.with_name(f".{target.name}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"another process is fetching {target}; wait for it to end") from error
        yield


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    return str(getattr(error, "reason", "") or error or type(error).__name__)
