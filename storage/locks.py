"""Locks between processes: on PostgreSQL in the server, for SQLite on files beside the database."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from storage.errors import LockTimeoutError, StorageError
from storage.files import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

_LOOK_SECONDS = 0.01  # between two tries for a file's lock
_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code for a lock timeout


@contextmanager
def file_lock(folder: Path, name: str, timeout: float) -> Iterator[None]:
    """Hold the lock of that name among the processes (and threads) of this machine.

    The kernel frees it when the process dies. Its file in `folder` stays: deleting it would let
    two processes lock two files of one name.

    Raises:
        LockTimeoutError: after `timeout` seconds.
        StorageError: if the lock's file cannot be made.
    """
    file = _opened(folder, name)
    try:
        deadline = time.monotonic() + timeout
        while not _is_locked(file):
            if time.monotonic() >= deadline:
                raise LockTimeoutError(_waited(name, timeout))
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(file)


@contextmanager
def advisory_lock(engine: Engine, name: str, timeout: float) -> Iterator[None]:
    """Hold the lock of that name among all users of a PostgreSQL database.

    A session lock on a connection of its own: it outlives transactions, and the server frees it
    when the connection or its process dies.

    Raises:
        LockTimeoutError: after `timeout` seconds.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    key = int.from_bytes(hashlib.sha256(f"hpsearch {name}".encode()).digest()[:8], signed=True)
    milliseconds = max(1, round(timeout * 1000))
    with engine.connect() as connection:
        connection.execute(text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": f"{milliseconds}ms"})
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise LockTimeoutError(_waited(name, timeout)) from error
            raise
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a lost connection has freed the lock already
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _opened(folder: Path, name: str) -> int:
    path = folder / f"{safe_name(name)}.lock"
    try:
        folder.mkdir(exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise StorageError(
            f"the folder of a SQLite store must be writable, but {path}: {error.strerror}; "
            "put the store into a folder of yours"
        ) from error


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _waited(name: str, timeout: float) -> str:
    return (
        f"the lock {name!r} must be free within {timeout:g} s, but another process still holds it; "
        "if it hangs, end it: the lock is freed with it"
    )
