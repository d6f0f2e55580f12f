"""Connections to the database: how many, with which settings, and what their failure means."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

import storage.sqlite  # noqa: F401  registers its dialect
from storage.errors import StorageError, StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from storage.url import StoreUrl

_CONNECTION = {
    "application_name": "hpsearch",
    "connect_timeout": "10",  # seconds
    # A peer that vanished without a word is noticed within half a minute, not two hours.
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}

# A process that is suspended within a transaction holds its locks; the server ends the transaction for it, before a
# lease of the usual length is over. Ours last milliseconds.
_IDLE_IN_TRANSACTION = "-c idle_in_transaction_session_timeout=30s"

_USED_UP = ("too many clients", "too many connections", "remaining connection slots")

_CURES = (
    ("password authentication failed", "check the user and the password in the address"),
    ("no password supplied", "put a password into the address, $PGPASSWORD or ~/.pgpass"),
    *((needle, "start fewer workers, or raise max_connections of the server") for needle in _USED_UP),
    ("database is locked", "another program holds a lock on the file; close it and try again"),
    ("disk I/O error", "the disk may be full or read-only"),
    ("database or disk is full", "make room on the disk, then start again: nothing that was committed is lost"),
    ("file is not a database", "the address names a file of another kind; give the store a file of its own"),
    ("attempt to write a readonly database", "the file and its folder must be writable for this user"),
    ("unable to open database file", "its folder must exist and be writable for this user"),
)  # fmt: skip


def engine_options(url: StoreUrl, *, pool_size: int = 2) -> dict[str, Any]:
    """What `create_engine` is given besides the address.

    Pools are small because every worker is a process with its own. PostgreSQL connections are
    tried before they are used (a server that was restarted meanwhile goes unnoticed), speak UTC, and lose a
    transaction in which nothing happens for half a minute (where the address's `options` name no other time).
    Statements appear in errors without their values.
    """
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": pool_size, "max_overflow": 1}
    if url.is_sqlite:
        return options
    given = dict(url.options)
    settings = {key: value for key, value in _CONNECTION.items() if key not in given}
    settings["options"] = " ".join([_IDLE_IN_TRANSACTION, given.get("options", ""), "-c timezone=UTC"])
    return {**options, "pool_pre_ping": True, "connect_args": settings}


def make_engine(url: StoreUrl) -> Engine:
    """The engine of our own tables; its two connections serve a worker and its heartbeat."""
    return create_engine(url.sqlalchemy, **engine_options(url, pool_size=1))


def make_lock_engine(url: StoreUrl) -> Engine:
    """An engine for session locks of PostgreSQL: a connection each, closed with the lock.

    No transaction stays open while a lock is held.
    """
    options = engine_options(url)
    return create_engine(
        url.sqlalchemy,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args=options["connect_args"],
    )


@contextmanager
def answering(url: StoreUrl) -> Iterator[None]:
    """Turn a failure of the database into a StorageError with its cause and what helps.

    Where all its connections are used up it is a StoreBusyError.
    """
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        is_busy = any(needle in str(_root(error)) for needle in _USED_UP)
        raise (StoreBusyError if is_busy else StorageError)(explanation(url, error)) from error


def explanation(url: StoreUrl, error: BaseException) -> str:
    """Why the database did not do what it was asked, and what helps; without the password."""
    cause = _root(error)
    words = [line.strip() for line in str(cause).splitlines() if line.strip()]
    said = url.scrub(words[0]) if words else type(cause).__name__
    return f"the store {url.masked} must answer, but: {said}; {_cure(url, str(cause))}"


def _root(error: BaseException) -> BaseException:
    while not isinstance(error, DBAPIError) and error.__cause__ is not None:
        error = error.__cause__
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _cure(url: StoreUrl, said: str) -> str:
    if f'database "{url.database}" does not exist' in said:
        return f"create it first: createdb {url.database}"
    for needle, cure in _CURES:
        if needle in said:
            return cure
    if url.is_sqlite:
        return "check the file, its folder and the disk"
    return "check the address, and that the server runs and can be reached from here"
