"""The tables of a store: made once, checked on every opening, changed only by `db upgrade`."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from storage.deletion import DeletingStorage
from storage.engines import engine_options
from storage.errors import StorageError
from storage.tables import SCHEMA_VERSION, UNFINISHED, metadata, schema_table
from storage.upgrade_to_3 import show_waiting_trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from storage.url import StoreUrl

Condition = Literal["empty", "unfinished", "current", "behind", "unknown", "foreign"]


@dataclass(frozen=True, kw_only=True)
class SchemaState:
    """What the tables of a database are, compared with what this version works with."""

    condition: Condition
    """`empty`: no store yet. `unfinished`: being created, or its creator died. `behind`: `db
    upgrade` helps. `unknown`: made by a later version, or damaged. `foreign`: something else's."""
    why: str
    """A sentence for a person."""
    version: int | None = None
    """Of our own tables; None where there are none."""
    revision: str | None = None
    """Of Optuna's tables; None where there are none."""

    @property
    def is_current(self) -> bool:
        """Whether the store can be used as it is."""
        return self.condition == "current"


def open_optuna(url: StoreUrl, *, create: bool = False) -> DeletingStorage:
    """Optuna's storage on this database; unless `create`, nothing is written."""
    # Optuna calls str.format on the address: braces (SQLAlchemy 2.0 leaves those of a file's name)
    # must be doubled to arrive as they are.
    address = url.sqlalchemy.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    return DeletingStorage(
        address,
        engine_kwargs=engine_options(url),
        skip_table_creation=not create,
        skip_compatibility_check=True,  # done by `inspect_schema`, which says how to help
    )


def close_optuna(optuna: DeletingStorage) -> None:
    """Close all connections of Optuna's storage, which has no method for it."""
    optuna.remove_session()
    optuna.engine.dispose()


def inspect_schema(engine: Engine, url: StoreUrl) -> SchemaState:
    """Look at the tables without changing anything."""
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
        version = _first(connection, tables, schema_table.name, "version")
        revision = _first(connection, tables, "alembic_version", "version_num")
        marked = _first(connection, tables, "version_info", "library_version")
    return _own_state(tables, version, revision) or _optuna_state(url, version, revision, marked)


def create_schema(engine: Engine, url: StoreUrl) -> None:
    """Create all tables; the caller holds the store's lock.

    Our version is written first as unfinished and last as it is, so that a store whose creator was
    killed in between is known, and completed by the next.
    """
    if url.is_sqlite:
        use_write_ahead_log(engine)
    metadata.create_all(engine)
    with engine.begin() as connection:
        if connection.scalar(sa.select(schema_table.c.version)) is None:
            connection.execute(schema_table.insert().values(version=UNFINISHED))
    close_optuna(open_optuna(url, create=True))
    _set_version(engine)


def upgrade_schema(engine: Engine, url: StoreUrl) -> tuple[str, ...]:
    """Bring the tables up to date; the caller holds the store's lock.

    Returns:
        What was done, a sentence each; empty where nothing had to be.

    Raises:
        StorageError: where there is no store, or one that this version cannot know.
    """
    state = inspect_schema(engine, url)
    if state.is_current:
        return ()
    if state.condition == "unfinished":
        create_schema(engine, url)
        return ("completed a store whose creation was interrupted",)
    if state.condition != "behind":
        raise StorageError(state.why)
    return (*_upgrade_optuna(url), *_upgrade_own(engine, state.version))


def has_write_ahead_log(engine: Engine) -> bool:
    """Whether a SQLite file keeps one; false for a file that another program made or changed."""
    with engine.connect() as connection:
        return connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers of a SQLite file go on while somebody writes; the file itself remembers it.

    Raises:
        StorageError: where the file system cannot do it, as network file systems cannot.
    """
    with engine.connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
    if mode != "wal":
        raise StorageError(
            f"SQLite must be able to keep a write-ahead log, but here it stays with {mode!r}; "
            "put the file on a disk of this machine, or use PostgreSQL"
        )


def _own_state(tables: set[str], version: int | None, revision: str | None) -> SchemaState | None:
    """The state where it can be told without Optuna, or None."""
    state: tuple[Condition, str]
    if version == UNFINISHED or (schema_table.name in tables and version is None):
        state = "unfinished", "the store is being created; if that was interrupted, `hpsearch start` completes it"
    elif version is None and "version_info" in tables:
        state = "behind", "the database has Optuna's tables but not ours; `hpsearch db upgrade` adds them"
    elif version is None and "alembic_version" in tables:
        state = "foreign", "the database is used by another program; give the store a database of its own"
    elif version is None:
        state = "empty", "there is no store here yet; `hpsearch start` creates one"
    elif version > SCHEMA_VERSION:
        why = f"the store has version {version}, this hpsearch knows up to {SCHEMA_VERSION}; install a later hpsearch"
        state = "unknown", why
    else:
        return None
    return SchemaState(condition=state[0], why=state[1], version=version, revision=revision)


def _optuna_state(url: StoreUrl, version: int | None, revision: str | None, marked: str | None) -> SchemaState:
    # Without both rows Optuna would take the tables for new and write into them.
    if revision is None or marked is None:
        why = "the store's tables are damaged: Optuna's version is missing; restore them from a backup"
        return SchemaState(condition="unknown", why=why, version=version, revision=revision)
    optuna = open_optuna(url)
    try:
        head = optuna.get_head_version()
        is_known = revision == head or revision in optuna.get_all_versions()
    finally:
        close_optuna(optuna)
    if not is_known:
        condition: Condition = "unknown"
        why = f"a later Optuna (tables {revision}, here {head}) made the store; install a later hpsearch"
    elif revision != head or version != SCHEMA_VERSION:
        condition = "behind"
        why = f"the store's tables are {revision}/{version}, needed are {head}/{SCHEMA_VERSION}; `hpsearch db upgrade`"
    else:
        condition, why = "current", f"the store is current: {revision}/{version}"
    return SchemaState(condition=condition, why=why, version=version, revision=revision)


def _upgrade_optuna(url: StoreUrl) -> tuple[str, ...]:
    optuna = open_optuna(url)
    try:
        before, head = optuna.get_current_version(), optuna.get_head_version()
        if before not in optuna.get_all_versions():
            raise StorageError(
                f"a later Optuna (tables {before}, here {head}) made the store; install a later hpsearch"
            )
        if before == head:
            return ()
        with _quiet_logging():
            optuna.upgrade()
    finally:
        close_optuna(optuna)
    return (f"Optuna's tables: {before} to {head}",)


def _upgrade_own(engine: Engine, version: int | None) -> tuple[str, ...]:
    if version == SCHEMA_VERSION:
        return ()
    metadata.create_all(engine)
    _add_columns(engine)
    n_shown = show_waiting_trials(engine) if version is not None and version < 3 else 0
    _set_version(engine)
    done = (f"our tables: {version or 'none'} to {SCHEMA_VERSION}",)
    shown = f"paused and pruned trials that Optuna's tables now show with their best value: {n_shown}"
    return (*done, shown) if n_shown else done


def _add_columns(engine: Engine) -> None:
    """Add columns that our tables have gained; one that was killed meanwhile is repeated from where it stood."""
    with engine.begin() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.sorted_tables:
            there = {column["name"] for column in inspector.get_columns(table.name)}
            for column in table.columns:
                if column.name not in there:
                    kind = column.type.compile(dialect=engine.dialect)
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")


def _set_version(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(schema_table.delete())
        connection.execute(schema_table.insert().values(version=SCHEMA_VERSION))


def _first(connection: sa.Connection, tables: set[str], table: str, column: str) -> Any:
    if table not in tables:
        return None
    return connection.scalar(sa.select(sa.column(column)).select_from(sa.table(table)).limit(1))


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """Keep alembic from configuring the program's logging, which it does where it finds none."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
