"""Transactions on our own tables."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.engines import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from storage.url import StoreUrl


class Transactions:
    """What works on our tables: each of its methods is one transaction, safe from any process and thread."""

    def __init__(self, engine: sa.Engine, url: StoreUrl) -> None:
        """Work on this database, whose tables exist."""
        self._engine = engine
        self._url = url

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with answering(self._url), self._engine.begin() as connection:
            yield connection
