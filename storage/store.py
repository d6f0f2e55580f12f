"""The store: one database, the files beside it, and the locks between processes."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from storage import schema
from storage.engines import answering, make_engine, make_lock_engine
from storage.errors import StorageError, StoreBusyError
from storage.file_systems import shared_kind
from storage.files import Files
from storage.late import LateResults
from storage.ledger import Ledger
from storage.locks import advisory_lock, file_lock
from storage.machines import use_here, user_elsewhere
from storage.records import Records
from storage.tables import EpochNow
from storage.trials import Trials
from storage.url import StoreUrl

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from storage.schema import SchemaState
    from storage.settled_cache import SettledCache

FILES_VARIABLE = "HPSEARCH_FILES"
_SCHEMA_LOCK = "schema"
_CROWDED_SECONDS = 120.0


class _Access:
    """A database that can be reached, whatever is in it."""

    def __init__(self, url: StoreUrl) -> None:
        self.url = url
        self.engine = make_engine(url)
        self._lock_engine = None if url.is_sqlite else make_lock_engine(url)

    @contextmanager
    def lock(self, name: str, timeout: float = 60.0) -> Iterator[None]:
        """Hold the lock of that name: nobody else who uses this database can meanwhile.

        On PostgreSQL it holds over all machines, on SQLite over this one's processes. It is not
        reentrant, and freed when its process dies.

        Raises:
            LockTimeoutError: when it was not free within `timeout` seconds.
        """
        if self._lock_engine is not None:
            with ExitStack() as held:
                with answering(self.url):  # getting it; what happens under it is the caller's
                    held.enter_context(advisory_lock(self._lock_engine, name, timeout))
                yield
        else:
            with file_lock(_locks(self.url), name, timeout):
                yield

    def inspect(self) -> SchemaState:
        """What is in the database; a SQLite file is not created for it."""
        path = self.url.path
        if path is not None and (not path.exists() or path.stat().st_size == 0):
            return schema.SchemaState(condition="empty", why=f"there is no store {self.url.masked} yet")
        with answering(self.url):
            return schema.inspect_schema(self.engine, self.url)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


class Store(_Access):
    """An open store; see `open_store`."""

    def __init__(self, url: StoreUrl, files: Files) -> None:
        """Open a store whose schema is current."""
        super().__init__(url)
        self.files = files
        self._crowded_until = 0.0
        self.ledger = Ledger(self.engine, url)
        self.records = Records(self.engine, url)
        self.late = LateResults(self.engine, url)
        with answering(url):
            if url.is_sqlite and not schema.has_write_ahead_log(self.engine):
                with self.lock(_SCHEMA_LOCK):
                    schema.use_write_ahead_log(self.engine)
            self.optuna = schema.open_optuna(url)

    def trials(self, study_id: int, user: Collection[str], system: Collection[str]) -> Trials:
        """A reader of one study's trials, with the attributes of these names."""
        return Trials(self.engine, self.url, study_id, user, system)

    def for_reading(self) -> SettledCache:
        """Optuna's storage for those who read trials again and again; `optuna` itself keeps none."""
        from storage.settled_cache import SettledCache

        return SettledCache(self.optuna)

    def now(self) -> float:
        """The database's clock, in seconds since 1970-01-01 UTC; the only one to compare times on."""
        with answering(self.url), self.engine.connect() as connection:
            return float(connection.scalars(sa.select(EpochNow())).one())

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn a failure of the database, Optuna's included, into a StorageError with cause and cure.

        Where it has no connection left, and for two minutes after, none is kept that is not in use. Or all wait for
        ever, each with a part of what one needs.
        """
        try:
            with answering(self.url):
                yield
        except StoreBusyError:
            self._crowded_until = time.monotonic() + _CROWDED_SECONDS
            raise
        finally:
            if time.monotonic() < self._crowded_until:
                self.rest()

    def rest(self) -> None:
        """Close the connections that are not in use, so that others can have them; they come back when needed."""
        # Not the engines' dispose(): a connection that another thread uses would return to a pool that nobody sees
        # any more, and stay open there.
        self.engine.pool.dispose()
        self.optuna.engine.pool.dispose()

    def close(self) -> None:
        """Close all connections; the store cannot be used afterwards."""
        schema.close_optuna(self.optuna)
        super().close()

    def __enter__(self) -> Self:
        """Use it as a context that closes itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def open_store(url: str, files: str | Path | None = None, *, create: bool = True) -> Store:
    """Open the store at an address, creating it where there is none yet.

    Any number of processes may do this at once: one creates, the others wait for it.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`.
        files: the folder for checkpoints, artifacts and logs. Default: `$HPSEARCH_FILES`, else
            `hpsearch-files` beside the SQLite file, or in the current folder for PostgreSQL.
        create: whether a store may be created where the database is empty.

    Raises:
        StorageError: if the database cannot be reached, holds no store and none may be created, or
            its schema is not this version's, or if it is a SQLite file that other machines share, or may share.
            Then nothing in it has been changed.
    """
    address = StoreUrl.parse(url)
    _check_place(address)
    access = _Access(address)
    try:
        state = access.inspect()
        if create and state.condition in ("empty", "unfinished"):
            state = _created(access)
        if not state.is_current:
            raise StorageError(f"{address.masked}: {state.why}")
    finally:
        access.close()
    store = Store(address, files_of(address, files))
    if address.is_sqlite:
        try:
            _check_machine(store)
        except BaseException:
            store.close()
            raise
    return store


def check_schema(url: str) -> SchemaState:
    """What the tables at an address are; changes nothing.

    Raises:
        StorageError: if the database cannot be reached.
    """
    access = _Access(StoreUrl.parse(url))
    try:
        return access.inspect()
    finally:
        access.close()


def upgrade_schema(url: str) -> tuple[str, ...]:
    """Bring the tables up to date, under the store's lock; returns what was done, a sentence each.

    Raises:
        StorageError: if there is no store, or a later version made it.
    """
    access = _Access(StoreUrl.parse(url))
    try:
        state = access.inspect()
        if state.condition == "empty":
            raise StorageError(f"{access.url.masked}: {state.why}")
        with access.lock(_SCHEMA_LOCK), answering(access.url):
            return schema.upgrade_schema(access.engine, access.url)
    finally:
        access.close()


def files_of(url: StoreUrl, files: str | Path | None = None) -> Files:
    """The files that belong to a database; see `open_store`."""
    if files is None:
        beside = Path.cwd() if url.path is None else url.path.parent
        files = os.environ.get(FILES_VARIABLE) or beside / "hpsearch-files"
    return Files(files)


def _check_place(url: StoreUrl) -> None:
    kind = shared_kind(url.path) if url.path else None
    if kind:
        raise StorageError(
            f"a SQLite store must be on a disk of this machine, but {url.path} is on {kind}, where its locks may not "
            "hold and results would be lost; put it elsewhere, or use PostgreSQL: postgresql://USER@HOST/DATABASE"
        )


def _check_machine(store: Store) -> None:
    """Refuse a SQLite file on which another machine works: a share that does not look like one."""
    user = _locks(store.url) / "machine"
    if user_elsewhere(user) and store.ledger.has_leases():
        raise StorageError(
            f"{store.url.masked} is in use on another machine, and a SQLite store serves one: results would be lost; "
            "use PostgreSQL: postgresql://USER@HOST/DATABASE (if this machine was only restarted, wait until the "
            "leases of its workers have run out, a minute unless they were given another --lease)"
        )
    use_here(user)


def _locks(url: StoreUrl) -> Path:
    assert url.path is not None
    path = url.path.resolve()  # one folder for a file, whatever links lead to it
    return path.with_name(f"{path.name}-locks")


def _created(access: _Access) -> SchemaState:
    path = access.url.path
    if path is not None and not path.parent.is_dir():
        raise StorageError(f"the folder of a SQLite store must exist, but {path.parent} does not; create it first")
    with access.lock(_SCHEMA_LOCK), answering(access.url):
        if access.inspect().condition in ("empty", "unfinished"):
            schema.create_schema(access.engine, access.url)
        return access.inspect()
