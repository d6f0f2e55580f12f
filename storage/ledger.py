"""Who holds which trial: leases with a fencing token, on the database's clock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from storage.errors import TrialTakenError
from storage.presence import Presence
from storage.tables import EpochNow, trials_table

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["running", "paused", "released", "ended"]


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One trial in the ledger. Times are seconds since 1970 on the database's clock."""

    study: str
    number: int
    state: State
    """`running`: a worker has the lease. `paused`: waits at a rung, in nobody's hands. `released`:
    given back, or its lease ran out; to be carried on. `ended`: over."""
    token: str | None
    """The latest attempt's; None once its lease has run out and was reaped."""
    worker: str
    """Who has it or had it last."""
    attempt: int
    """From 1; one more for each time a worker was lost, not for pauses and orderly returns."""
    is_lost: bool
    """Whether the latest attempt ended with its worker lost."""
    rung: int | None
    epoch: int
    """Epochs done when it was paused or given back."""
    value: float | None
    """The trial's value when it was paused."""
    expires_at: float | None
    changed_at: float

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Self:
        """From a row of `hpsearch_trials`."""
        return cls(**row)


class Ledger(Presence):
    """The leases of all studies in a store; and, inherited, the workers that are there.

    Every method is one transaction and safe to call from any process and thread. A method that
    takes a token says with False that it is no longer valid: the lease ran out and was reaped, or
    another worker has the trial. Repeating a call that has succeeded is True again, so a caller
    that did not hear the answer can ask twice.

    Raises:
        StorageError: from every method, when the database does not answer.
    """

    def take(self, study: str, number: int, worker: str, ttl: float) -> str:
        """Enter a trial that is new to the ledger and lease it for `ttl` seconds; returns the token.

        Raises:
            TrialTakenError: if the ledger has the trial already.
        """
        token = _new_token()
        row = {
            "study": study,
            "number": number,
            "state": "running",
            "token": token,
            "worker": worker,
            "attempt": 1,
            "is_lost": False,
            "epoch": 0,
            "expires_at": EpochNow() + ttl,
            "changed_at": EpochNow(),
        }
        with self._transaction() as connection:
            try:
                connection.execute(trials_table.insert().values(row))
            except IntegrityError as error:
                raise TrialTakenError(
                    f"a trial must be new to be taken, but trial {number} of {study!r} is in the ledger"
                ) from error
        return token

    def resume(self, study: str, number: int, worker: str, ttl: float) -> Holding | None:
        """Lease a paused or released trial for `ttl` seconds under a new token.

        Returns:
            The trial as it is now held; None if somebody else was first, or it has ended.
        """
        token = _new_token()
        columns = trials_table.c
        values = {
            "state": "running",
            "token": token,
            "worker": worker,
            "attempt": columns.attempt + sa.case((columns.is_lost, 1), else_=0),
            "is_lost": False,
            "expires_at": EpochNow() + ttl,
        }
        where = (columns.study == study, columns.number == number, columns.state.in_(("paused", "released")))
        with self._transaction() as connection:
            if not _updated(connection, where, values):
                return None
            return _selected(connection, columns.token == token)[0]

    def renew(self, token: str, ttl: float) -> bool:
        """Hold the lease for `ttl` seconds from now; False if it is lost.

        A lease that has run out unnoticed (nobody reaped it meanwhile) is renewed too: whether it
        is lost is decided in one place, by whoever reaps.
        """
        return self._change(token, "running", expires_at=EpochNow() + ttl)

    def pause(self, token: str, rung: int, epoch: int, value: float | None) -> bool:
        """Let a trial wait at a rung, in nobody's hands; False if the lease is lost."""
        return self._change(token, "paused", rung=rung, epoch=epoch, value=value, expires_at=None)

    def release(self, token: str, epoch: int, *, lost: bool = False) -> bool:
        """Give a trial back after `epoch` epochs, for anybody to carry on; False if the lease is lost.

        `lost` counts the attempt as failed: the next one gets the next number.
        """
        return self._change(token, "released", epoch=epoch, is_lost=lost, expires_at=None)

    def end(self, token: str) -> bool:
        """The trial is over; False if the lease is lost."""
        return self._change(token, "ended", expires_at=None)

    def drop(self, study: str, number: int) -> bool:
        """End a trial that nobody holds; False if somebody does, or it is not in the ledger."""
        columns = trials_table.c
        where = (columns.study == study, columns.number == number, columns.state != "running")
        with self._transaction() as connection:
            return _updated(connection, where, {"state": "ended", "expires_at": None})

    def reap(self, study: str) -> list[Holding]:
        """Release every trial whose lease has run out, its attempt lost and its token void.

        Returns:
            The trials as they are now, by number; of several reapers one gets each.
        """
        columns = trials_table.c
        where = (columns.state == "running", columns.expires_at < EpochNow())
        return self._change_all(study, where, {"state": "released", "is_lost": True, "token": None, "expires_at": None})

    def end_paused(self, study: str) -> list[Holding]:
        """End every trial that nobody holds, paused or released; returns them, by number."""
        where = (trials_table.c.state.in_(("paused", "released")),)
        return self._change_all(study, where, {"state": "ended"})

    def holdings(self, study: str, states: Sequence[State] = ()) -> list[Holding]:
        """The study's trials in the ledger by number; all, or those in one of `states`."""
        columns = trials_table.c
        where = [columns.study == study]
        if states:
            where.append(columns.state.in_(states))
        with self._transaction() as connection:
            return _selected(connection, *where)

    def forget(self, study: str) -> None:
        """Remove all of a study's trials: it was deleted, or one of its name is created anew."""
        with self._transaction() as connection:
            connection.execute(trials_table.delete().where(trials_table.c.study == study))

    def _change(self, token: str, state: State, **values: Any) -> bool:
        """Change the running trial of that token, or repeat the change; False if there is none."""
        columns = trials_table.c
        where = (columns.token == token, columns.state.in_(("running", state)))
        with self._transaction() as connection:
            return _updated(connection, where, {"state": state, **values})

    def _change_all(self, study: str, where: Sequence[sa.ColumnElement[bool]], values: dict[str, Any]) -> list[Holding]:
        columns = trials_table.c
        query = sa.select(columns.number).where(columns.study == study, *where).order_by(columns.number)
        with self._transaction() as connection:
            # Locked first: of two processes doing this at once, only one may report each trial.
            numbers = connection.scalars(query.with_for_update()).all()
            if not numbers:
                return []
            found = (columns.study == study, columns.number.in_(numbers))
            _updated(connection, found, values)
            return _selected(connection, *found)


def _new_token() -> str:
    return secrets.token_hex(8)


def _updated(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], values: dict[str, Any]) -> bool:
    update = trials_table.update().where(*where).values(**values, changed_at=EpochNow())
    return connection.execute(update).rowcount > 0


def _selected(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Holding]:
    query = sa.select(trials_table).where(*where).order_by(trials_table.c.number)
    return [Holding.from_row(row) for row in connection.execute(query).mappings()]
