"""What is written of trials into Optuna's tables, each as one piece and under the lock of the trial's lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage import optuna_rows
from storage.holding import Holding
from storage.tables import trials_table
from storage.transactions import Transactions

if TYPE_CHECKING:
    from collections.abc import Mapping


class Records(Transactions):
    """The records of all studies' trials. Every method is one transaction; False says that nothing was written.

    Raises:
        StorageError: from every method, when the database does not answer.
    """

    def write(self, token: str, progress: optuna_rows.Progress) -> bool:
        """Write what a trial has come to, as one piece; False, with nothing written, if the lease is lost."""
        columns = trials_table.c
        held = sa.select(columns.study, columns.number).where(
            columns.token == token, columns.state.in_(("running", "decided"))
        )
        with self._transaction() as connection:
            row = connection.execute(held.with_for_update()).one_or_none()
            if row is None:
                return False
            found = optuna_rows.find(connection, row.study, row.number)
            if found is None or found[1].is_finished():
                return False  # deleted, or ended from outside
            optuna_rows.write(connection, found[0], progress)
            return True

    def annotate(self, study: str, number: int, attributes: Mapping[str, Any]) -> bool:
        """Set system attributes of a trial that has not ended, also of one that waits; False if it has, or is unknown.

        Optuna itself takes none for a trial that waits, because its tables show that as complete.
        """
        columns = trials_table.c
        held = sa.select(trials_table).where(columns.study == study, columns.number == number)
        with self._transaction() as connection:
            row = connection.execute(held.with_for_update()).mappings().one_or_none()
            found = optuna_rows.find(connection, study, number)
            if row is None or found is None or Holding.from_row(row).has_ended(found[1]):
                return False
            optuna_rows.set_attributes(connection, optuna_rows.system_attributes, found[0], attributes)
            return True

    def clear_value(self, token: str) -> bool:
        """Remove the value of a trial that is decided to have failed, from Optuna's tables; False as for `decide`."""
        columns = trials_table.c
        with self._transaction() as connection:
            held = sa.select(columns.study, columns.number).where(columns.token == token, columns.state == "decided")
            row = connection.execute(held.with_for_update()).one_or_none()
            if row is None:
                return False
            if (found := optuna_rows.find(connection, row.study, row.number)) is not None:
                optuna_rows.clear_value(connection, found[0])
            return True
