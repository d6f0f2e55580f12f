from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import StorageError
from storage.url import StoreUrl

PASSWORD = "p{a}%40@:/"  # every character that an address gives a meaning
ENCODED = "p%7Ba%7D%2540%40%3A%2F"


def test_sqlite_path_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = StoreUrl.parse("sqlite:///hpsearch.db")

    assert url.is_sqlite
    assert url.path == tmp_path / "hpsearch.db"
    assert url.masked == "sqlite:///hpsearch.db"
    assert url.full == f"sqlite:///{tmp_path}/hpsearch.db"


def test_sqlite_path_absolute_odd_characters():
    url = StoreUrl.parse("sqlite:////data/my {runs}/a%3Fb.db")

    assert url.path == Path("/data/my {runs}/a?b.db")
    assert StoreUrl.parse(url.full).path == url.path
    assert url.sqlalchemy.database == "/data/my {runs}/a?b.db"


def test_postgresql_parts():
    url = StoreUrl.parse("postgresql://me:secret@db.lab:5433/search?sslmode=require")

    expected = StoreUrl(
        database="search",
        user="me",
        password="secret",
        host="db.lab",
        port=5433,
        options=(("sslmode", "require"),),
    )
    assert url == expected
    assert not url.is_sqlite
    assert url.sqlalchemy.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_scheme_any_spelling(scheme):
    assert StoreUrl.parse(f"{scheme}://me@h/d").masked == "postgresql://me@h/d"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (ENCODED, PASSWORD),
        ("p{a}@b", "p{a}@b"),  # raw, and told from the host by the last @
        ("a:b:c", "a:b:c"),
        ("a/b", "a/b"),  # else the host would be `me` and the port `a`
        ("12/34", "12/34"),  # else there would be an @ in the database's name
        ("a?b#c", "a?b#c"),
        ("100%", "100%"),
        ("a+b", "a+b"),
        ("", ""),
    ],
)
def test_password_any_characters(written, meant):
    url = StoreUrl.parse(f"postgresql://me:{written}@host:5432/db")

    assert url.password == meant
    assert (url.user, url.host, url.port, url.database) == ("me", "host", 5432, "db")
    assert StoreUrl.parse(url.full) == url
    assert url.sqlalchemy.password == meant


def test_password_with_at_in_option():
    url = StoreUrl.parse("postgresql://me:secret@host/db?application_name=a@b")

    assert url.password == "secret"
    assert url.options == (("application_name", "a@b"),)


def test_password_as_option_hidden():
    url = StoreUrl.parse("postgresql://host/db?user=me&password=s3cret&sslpassword=t0psecret")

    assert (url.user, url.password) == ("me", "s3cret")
    assert url.masked == "postgresql://me:***@host/db?sslpassword=***"


def test_socket_folder_as_host():
    url = StoreUrl.parse("postgresql://me@/db?host=/var/run/postgresql")

    assert url.host is None
    assert url.sqlalchemy.query == {"host": "/var/run/postgresql"}
    assert url.masked == "postgresql://me@/db?host=/var/run/postgresql"


def test_host_ipv6():
    url = StoreUrl.parse("postgresql://me@[::1]:5433/db")

    assert (url.host, url.port) == ("::1", 5433)
    assert StoreUrl.parse(url.full) == url


@pytest.mark.parametrize("show", [str, repr, "{}".format, lambda url: url.masked, lambda url: repr({"a": url})])
def test_password_shown_nowhere(show):
    url = StoreUrl.parse(f"postgresql://me:{ENCODED}@host/db")

    assert PASSWORD not in show(url)
    assert ENCODED not in show(url)
    assert "***" in show(url)


def test_scrub_password_every_form():
    url = StoreUrl.parse(f"postgresql://me:{ENCODED}@host/db")

    text = url.scrub(f"raw {PASSWORD}, encoded {ENCODED}, SQLAlchemy's {url.sqlalchemy.render_as_string(False)}")
    assert text == "raw ***, encoded ***, SQLAlchemy's postgresql+psycopg://me:***@host/db"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "mysql://me:secret@h/d",
            "a store's address must be sqlite:///FILE or postgresql://USER@HOST/DATABASE, but got mysql://…",
        ),
        (
            "hpsearch.db",
            "a store's address must be sqlite:///FILE or postgresql://USER@HOST/DATABASE, but got 'hpsearch.db'",
        ),
        (
            "me:secret@h",
            (
                "a store's address must be sqlite:///FILE or postgresql://USER@HOST/DATABASE, "
                "but got no such address; for a file write sqlite:///FILE"
            ),
        ),
        (
            "sqlite://",
            (
                "a SQLite store must be a file that several processes can open, as in sqlite:///hpsearch.db, "
                "but got sqlite://"
            ),
        ),
        (
            "sqlite:///:memory:",
            (
                "a SQLite store must be a file that several processes can open, as in sqlite:///hpsearch.db, "
                "but got sqlite:///:memory:"
            ),
        ),
        (
            "sqlite:///a.db?mode=ro",
            "a SQLite address takes no options; write a question mark in a file name as %3F",
        ),
        (
            "postgresql://me:secret@host",
            "a PostgreSQL address must name a database: postgresql://…/DATABASE, but got postgresql://me:***@host/",
        ),
        (
            "postgresql://me:secret@host:port/d",
            (
                "the host in a PostgreSQL address must be NAME or NAME:PORT; where a user name or password "
                "holds `/`, `?`, `#` or `@`, write %2F, %3F, %23 or %40"
            ),
        ),
    ],
)
def test_address_refused(address, message):
    with pytest.raises(StorageError) as caught:
        StoreUrl.parse(address)

    assert str(caught.value) == message
