"""SQLite as a store of several processes: how a connection is set up and when it locks.

SQLAlchemy drops `FOR UPDATE` on SQLite, because SQLite has no row locks. Optuna relies on it where
it takes a queued trial: two processes then read the same row and both take it. Here such a
statement first begins the transaction as a writer (`BEGIN IMMEDIATE`), so that the second process
waits until the first has committed. Everything else is SQLAlchemy's own dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine.interfaces import DBAPICursor

BUSY_SECONDS = 30
"""How long a statement waits for another process's transaction before it fails."""

_FOR_UPDATE = " /* for update */"

_SETTINGS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    # With a write-ahead log this survives the death of any process; a power cut may cost the last
    # commits, never the file. https://www.sqlite.org/pragma.html#pragma_synchronous
    "PRAGMA synchronous = NORMAL",
    # As PostgreSQL does by itself: no row may outlive the study or trial that it belongs to.
    "PRAGMA foreign_keys = ON",
)


class LockingCompiler(SQLiteCompiler):
    """Marks statements that ask for a lock with a comment that SQLite skips."""

    def for_update_clause(self, select: Any, **kw: Any) -> str:  # noqa: ARG002
        """The mark, in the place where other databases have `FOR UPDATE`."""
        return _FOR_UPDATE


class LockingDialect(SQLiteDialect_pysqlite):
    """SQLite for several processes; its addresses begin with `sqlite+hpsearch:`."""

    driver = "hpsearch"
    supports_statement_cache = True
    statement_compiler = LockingCompiler

    def on_connect(self) -> Callable[[Any], None]:
        """What is set on every new connection."""
        set_up = super().on_connect()

        def connect(connection: Any) -> None:
            set_up(connection)
            for setting in _SETTINGS:
                connection.execute(setting)

        return connect

    def do_execute(self, cursor: DBAPICursor, statement: str, parameters: Any, context: Any = None) -> None:  # noqa: ARG002
        """Execute; a statement that asks for a lock first begins a writing transaction."""
        if statement.endswith(_FOR_UPDATE) and not cursor.connection.in_transaction:
            cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(statement, parameters)


registry.register("sqlite.hpsearch", __name__, LockingDialect.__name__)
