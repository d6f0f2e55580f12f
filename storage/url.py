"""The address of a store: read once, shown only with its password hidden."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode

from storage.errors import StorageError

if TYPE_CHECKING:
    from sqlalchemy import URL

_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_HOST = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<name>[^:@\[\]]*))(?::(?P<port>\d+))?")


@dataclass(frozen=True, kw_only=True)
class StoreUrl:
    """The address of a SQLite file or of a PostgreSQL database.

    `str` and `repr` hide the password; only `full` and `sqlalchemy` carry it.
    """

    database: str
    """The file as it was written, or the name of the PostgreSQL database."""
    path: Path | None = None
    """The SQLite file, absolute (seen from the folder in which the address was read); else None."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    """Connection options of PostgreSQL, such as `sslmode` or a socket's folder as `host`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE`.

        A password may hold any character in its percent-encoded form. Raw ones are taken as they
        are, `@`, `:`, `/`, `{` and `}` too; only a `%` before two hexadecimal digits has to be
        written `%25`.

        Raises:
            StorageError: for another kind of database, a database in memory, or an address that
                cannot be read.
        """
        scheme, separator, rest = text.partition("://")
        if separator and scheme in _SQLITE:
            return cls._sqlite(rest)
        if separator and scheme in _POSTGRESQL:
            return cls._postgresql(rest)
        raise StorageError(
            "a store's address must be sqlite:///FILE or postgresql://USER@HOST/DATABASE, "
            f"but got {_shown_kind(text, scheme, separator)}"
        )

    @classmethod
    def _sqlite(cls, rest: str) -> Self:
        if "?" in rest:
            raise StorageError("a SQLite address takes no options; write a question mark in a file name as %3F")
        name = unquote(rest.removeprefix("/"))
        if not rest.startswith("/") or name in ("", ":memory:"):
            raise StorageError(
                "a SQLite store must be a file that several processes can open, as in "
                f"sqlite:///hpsearch.db, but got sqlite://{rest}"
            )
        return cls(database=name, path=Path(name).absolute())

    @classmethod
    def _postgresql(cls, rest: str) -> Self:
        credentials, place = _split_credentials(rest)
        address, _, query = place.partition("?")
        authority, _, database = address.partition("/")
        match = _HOST.fullmatch(authority)
        if match is None:
            raise StorageError(
                "the host in a PostgreSQL address must be NAME or NAME:PORT; where a user name or password "
                "holds `/`, `?`, `#` or `@`, write %2F, %3F, %23 or %40"
            )
        user, has_password, password = credentials.partition(":")
        url = cls(
            database=unquote(database),
            user=unquote(user) or None,
            password=unquote(password) if has_password else None,
            host=match["ipv6"] or match["name"] or None,
            port=int(match["port"]) if match["port"] else None,
            options=tuple(parse_qsl(query, keep_blank_values=True)),
        )
        return url._with_secrets_of_options()._checked()

    def _with_secrets_of_options(self) -> Self:
        """Move a user and a password given as options, which libpq allows, to where they are hidden."""
        options = dict(self.options)
        user, password = options.pop("user", self.user), options.pop("password", self.password)
        return replace(self, user=user, password=password, options=tuple(options.items()))

    def _checked(self) -> Self:
        if not self.database:
            raise StorageError(
                f"a PostgreSQL address must name a database: postgresql://…/DATABASE, but got {self.masked}"
            )
        return self

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file; else it is PostgreSQL."""
        return self.path is not None

    @property
    def masked(self) -> str:
        """The address for people: no password, and none of its length either."""
        if self.is_sqlite:
            return f"sqlite:///{quote(self.database, safe='/ ~:@')}"
        options = [(key, "***" if "pass" in key else value) for key, value in self.options]
        return self._rendered("***", options)

    @property
    def full(self) -> str:
        """The address with its password, for a process of our own; never to be shown or logged."""
        if self.path is not None:
            return f"sqlite:///{quote(str(self.path))}"
        return self._rendered(quote(self.password or "", safe=""), list(self.options))

    @property
    def sqlalchemy(self) -> URL:
        """The same for SQLAlchemy: our SQLite dialect, or psycopg 3."""
        from sqlalchemy import URL

        if self.path is not None:
            return URL.create("sqlite+hpsearch", database=str(self.path))
        return URL.create(
            "postgresql+psycopg",
            username=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            database=self.database,
            query=dict(self.options),
        )

    def scrub(self, text: str) -> str:
        """`text` without the password, should a driver have put it there in any of its forms."""
        if not self.password:
            return text
        for form in (self.password, quote(self.password, safe=""), quote(self.password, safe=" +")):
            text = text.replace(form, "***")
        return text

    def __str__(self) -> str:
        """The masked address."""
        return self.masked

    def __repr__(self) -> str:
        """The masked address."""
        return f"StoreUrl({self.masked!r})"

    def _rendered(self, password: str, options: list[tuple[str, str]]) -> str:
        user = quote(self.user or "", safe="")
        credentials = user if self.password is None else f"{user}:{password}"
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host or ""
        port = f":{self.port}" if self.port else ""
        query = f"?{urlencode(options, safe='/*')}" if options else ""
        at = "@" if credentials else ""
        return f"postgresql://{credentials}{at}{host}{port}/{quote(self.database, safe='')}{query}"


def _split_credentials(rest: str) -> tuple[str, str]:
    """Credentials and the place they are for.

    By the rules of addresses the credentials end before the first `/`. Where that gives no host,
    or leaves an `@` behind, a raw password holds such a character: then the last `@` ends it.
    """
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    credentials, _, host = rest[:end].rpartition("@")
    path = rest[end:].partition("?")[0]
    if _HOST.fullmatch(host) and "@" not in path:
        return credentials, rest[end - len(host) :]
    credentials, _, place = rest.rpartition("@")
    return credentials, place


def _shown_kind(text: str, scheme: str, separator: str) -> str:
    if not separator:
        return "no such address; for a file write sqlite:///FILE" if "@" in text else f"{text!r}"
    return f"{scheme}://…"
