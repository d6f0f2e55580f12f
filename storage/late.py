"""Results that came too late: computed by an attempt whose trial somebody else had meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from storage.tables import EpochNow, late_table
from storage.transactions import Transactions


@dataclass(frozen=True, kw_only=True)
class LateResult:
    """A result that was not accepted."""

    token: str
    """The attempt's that computed it."""
    study: str
    number: int
    result: str
    """As it was spooled."""
    came_at: float
    """Seconds since 1970 on the database's clock."""


class LateResults(Transactions):
    """The late results of all studies. Every method is one transaction.

    Raises:
        StorageError: from every method, when the database does not answer.
    """

    def keep(self, token: str, study: str, number: int, result: str) -> bool:
        """Keep a result; False if that attempt's is kept already."""
        values = {"study": study, "number": number, "result": result, "came_at": EpochNow()}
        with self._transaction() as connection:
            there = connection.scalar(
                sa.select(late_table.c.token).where(late_table.c.token == token).with_for_update()
            )
            if there is None:
                connection.execute(late_table.insert().values(token=token, **values))
        return there is None

    def of(self, study: str) -> list[LateResult]:
        """The study's late results, oldest first."""
        query = sa.select(late_table).where(late_table.c.study == study)
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(late_table.c.came_at, late_table.c.token)).mappings()
            return [LateResult(**row) for row in rows]

    def forget(self, study: str) -> None:
        """Remove a study's: it was deleted, or one of its name is created anew."""
        with self._transaction() as connection:
            connection.execute(late_table.delete().where(late_table.c.study == study))
