"""Which workers are there: each says so every few seconds."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from storage.tables import EpochNow, workers_table
from storage.transactions import Transactions

_FORGOTTEN_SECONDS = 7 * 86400.0  # a worker that was killed leaves its row behind for so long


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    """A worker as it last said it was."""

    id: str
    host: str
    pid: int
    study: str | None
    trial: int | None
    progress: str
    seen: float
    """Seconds since its last sign of life."""


class Presence(Transactions):
    """The workers of a store. Every method is one transaction, safe from any process and thread.

    Raises:
        StorageError: from every method, when the database does not answer.
    """

    def join(self, worker: str, host: str, pid: int) -> None:
        """Enter a worker; rows of workers that were last seen a week ago go."""
        columns = workers_table.c
        values = {"host": host, "pid": pid, "progress": "", "started_at": EpochNow(), "seen_at": EpochNow()}
        with self._transaction() as connection:
            old = columns.seen_at < EpochNow() - _FORGOTTEN_SECONDS
            connection.execute(workers_table.delete().where(old | (columns.id == worker)))
            connection.execute(workers_table.insert().values(id=worker, **values))

    def beat(self, worker: str, study: str | None, trial: int | None, progress: str = "") -> bool:
        """Say that a worker lives and what it does; False if it has not joined, or has left."""
        values = {"study": study, "trial": trial, "progress": progress, "seen_at": EpochNow()}
        with self._transaction() as connection:
            update = workers_table.update().where(workers_table.c.id == worker).values(values)
            return connection.execute(update).rowcount == 1

    def leave(self, worker: str) -> None:
        """Remove a worker that ends in order."""
        with self._transaction() as connection:
            connection.execute(workers_table.delete().where(workers_table.c.id == worker))

    def workers(self, within: float) -> list[WorkerRow]:
        """Workers seen in the last `within` seconds, the longest serving first."""
        columns = workers_table.c
        shown = (columns.id, columns.host, columns.pid, columns.study, columns.trial, columns.progress)
        seen = (EpochNow() - columns.seen_at).label("seen")
        query = sa.select(*shown, seen).where(columns.seen_at >= EpochNow() - within)
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(columns.started_at, columns.id)).mappings()
            return [WorkerRow(**row) for row in rows]
