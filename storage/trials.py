"""All trials of a study, read with what decisions need of them and nothing else.

Optuna's own reader makes an object of every row there is, intermediate values among them. A worker
that looks at ten thousand trials to take the next one has better things to do with a gigabyte
and twenty seconds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from optuna.distributions import json_to_distribution

from storage.held_trials import held_trials, holding_of
from storage.transactions import Transactions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import TrialState

    from storage.holding import Holding
    from storage.url import StoreUrl

_AT_ONCE = 500
"""Trials of one query: databases bound the number of a statement's values."""

# Optuna's tables, as far as they are read here; `storage.schema` refuses a store of another revision.
_params = sa.table(
    "trial_params", sa.column("param_id"), sa.column("trial_id"), sa.column("param_name"), sa.column("param_value"),
    sa.column("distribution_json"),
)  # fmt: skip
_values = sa.table("trial_values", sa.column("trial_id"), sa.column("value"), sa.column("value_type"))
_user = sa.table("trial_user_attributes", sa.column("trial_id"), sa.column("key"), sa.column("value_json"))
_system = sa.table("trial_system_attributes", sa.column("trial_id"), sa.column("key"), sa.column("value_json"))

_INFINITE = {"INF_POS": float("inf"), "INF_NEG": float("-inf")}


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTrial:
    """One trial's rows, without its intermediate values. What it holds is shared, and not to be changed."""

    number: int
    state: TrialState
    params: dict[str, Any]
    """In the order in which they were suggested."""
    value: float | None
    user_attrs: dict[str, Any]
    system_attrs: dict[str, Any]
    holding: Holding | None = None
    """Its row in the ledger, of the same moment as `state`; None for a trial that no worker has had."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more becomes of it: Optuna's tables show a paused trial as complete, too."""
        return self.holding.has_ended(self.state) if self.holding else self.state.is_finished()


class Trials(Transactions):
    """One study's trials. Those that have ended are read once; nothing of them changes any more.

    Raises:
        StorageError: from every method, when the database does not answer.
    """

    def __init__(
        self, engine: sa.Engine, url: StoreUrl, study_id: int, user: Collection[str], system: Collection[str]
    ) -> None:
        """Read these trials.

        Args:
            engine: of the store.
            url: the store's address.
            study_id: Optuna's.
            user: names of the user attributes to read.
            system: names of the system attributes to read.
        """
        super().__init__(engine, url)
        self._study_id = study_id
        self._attributes = ((_user, tuple(user)), (_system, tuple(system)))
        self._ended: dict[int, StoredTrial] = {}

    def all(self) -> list[StoredTrial]:
        """The trials by number."""
        with self._transaction() as connection:
            rows = {row.trial_id: row for row in connection.execute(held_trials(self._study_id))}
            found = {key: self._ended[key] for key in rows if key in self._ended}
            missing = [row for key, row in rows.items() if key not in found]
            for begin in range(0, len(missing), _AT_ONCE):
                found.update(self._read(connection, missing[begin : begin + _AT_ONCE]))
        self._ended = {key: trial for key, trial in found.items() if trial.has_ended}
        return [found[key] for key in rows]

    def _read(self, connection: sa.Connection, rows: Sequence[Any]) -> Iterator[tuple[int, StoredTrial]]:
        keys = [row.trial_id for row in rows]
        params: dict[int, dict[str, Any]] = defaultdict(dict)
        columns = _params.c
        wanted = (columns.param_name, columns.param_value, columns.distribution_json)
        for key, name, value, distribution in _of(connection, _params, keys, *wanted, order=columns.param_id):
            params[key][name] = _distribution(distribution).to_external_repr(value)
        values = _of(connection, _values, keys, _values.c.value, _values.c.value_type)
        told = {key: _INFINITE.get(kind, value) for key, value, kind in values}
        user, system = (_attributes(connection, table, keys, names) for table, names in self._attributes)
        for row in rows:
            key = row.trial_id
            yield key, StoredTrial(
                number=row.number, state=row.state, params=params[key], value=told.get(key),
                user_attrs=user[key], system_attrs=system[key], holding=holding_of(row),
            )  # fmt: skip


def _attributes(
    connection: sa.Connection, table: sa.TableClause, keys: Sequence[int], names: Sequence[str]
) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for key, name, text in _of(connection, table, keys, table.c.key, table.c.value_json, where=table.c.key.in_(names)):
        found[key][name] = json.loads(text)
    return found


def _of(
    connection: sa.Connection,
    table: sa.TableClause,
    keys: Sequence[int],
    *columns: sa.ColumnElement[Any],
    order: sa.ColumnElement[Any] | None = None,
    where: sa.ColumnElement[bool] | None = None,
) -> Iterator[Any]:
    """Columns of a table's rows that belong to some trials, after the trial's key."""
    query = sa.select(table.c.trial_id, *columns).where(table.c.trial_id.in_(keys))
    if where is not None:
        query = query.where(where)
    yield from connection.execute(query if order is None else query.order_by(order))


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    return json_to_distribution(text)
