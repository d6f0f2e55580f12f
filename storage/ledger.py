"""Who holds which trial: leases with a fencing token, on the database's clock.

A trial's row here and its rows in Optuna's tables change in one transaction: see `storage.optuna_rows`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from storage import optuna_rows
from storage.errors import TrialTakenError
from storage.holding import Holding
from storage.presence import Presence
from storage.tables import EpochNow, trials_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from storage.holding import State

DOUBT = 0.5
"""Of a lease: for how long one that is seen to have run out is doubted before it is reaped. Whoever lives renews
meanwhile; so an outage of the database, or a machine that slept, loses nobody a trial."""


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
            "changed_at": EpochNow(),
            **_leased(ttl),
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
            The trial as it is now held; None if another worker was first, or it has ended.
        """
        attempt = trials_table.c.attempt + sa.case((trials_table.c.is_lost, 1), else_=0)
        taken = {"state": "running", "worker": worker, "attempt": attempt, "is_lost": False, **_leased(ttl)}
        with self._transaction() as connection:
            token = _take_up(connection, study, number, taken)
            return _selected(connection, trials_table.c.token == token)[0] if token else None

    def renew(self, token: str, ttl: float) -> bool:
        """Hold the lease for `ttl` seconds from now; False if it is lost.

        A lease that has run out (nobody reaped it meanwhile) is renewed too: whether it is lost is
        decided in one place, by whoever reaps.
        """
        return self._change(token, "running", **_leased(ttl))

    def pause(self, token: str, rung: int, epoch: int) -> bool:
        """Let a trial wait at a rung, held by no worker; False if the lease is lost, or it was ended from outside."""
        return self._lay_down(token, "paused", rung=rung, epoch=epoch)

    def release(self, token: str, epoch: int, *, lost: bool = False) -> bool:
        """Give a trial back after `epoch` epochs, for any worker to carry on; False as for `pause`.

        `lost` counts the attempt as failed: the next one gets the next number.
        """
        return self._lay_down(token, "released", epoch=epoch, is_lost=lost)

    def decide(self, token: str, result: str) -> bool:
        """Fix how a trial ended; False if the lease is lost, and then another attempt's result counts.

        This is the one moment in which a result is accepted. What follows, telling Optuna and `end`,
        can be done again by anybody who finds it undone; the first result stays.
        """
        columns = trials_table.c
        is_mine = columns.token == token
        with self._transaction() as connection:
            if _updated(connection, (is_mine, columns.state == "running"), {"state": "decided", "result": result}):
                return True
            done = sa.select(columns.number).where(is_mine, columns.state.in_(("decided", "ended")))
            return connection.scalar(done) is not None

    def end(self, token: str) -> bool:
        """The trial is over; False if the lease is lost."""
        return self._change(token, "ended", "decided", expires_at=None, result=None)

    def decide_waiting(
        self, study: str, number: int, worker: str, ttl: float, result: Callable[[str], str]
    ) -> str | None:
        """Fix how a trial ends that no worker holds.

        What follows is as after `decide`; who finds it undone after `ttl` seconds may do it.

        Args:
            study: the trial's study.
            number: the trial's number.
            worker: who decides.
            ttl: seconds.
            result: makes the text to keep from the new token.

        Returns:
            The token; None if a worker holds the trial, or it has ended.
        """
        with self._transaction() as connection:
            token = _take_up(connection, study, number, {"state": "decided", "worker": worker, **_leased(ttl)})
            if token is not None:
                _updated(connection, (trials_table.c.token == token,), {"result": result(token)})
            return token

    def drop(self, study: str, number: int) -> bool:
        """End a trial of which Optuna's tables say that it has ended; False if a worker holds it, or it is unknown."""
        columns = trials_table.c
        where = (columns.study == study, columns.number == number, columns.state.in_(("paused", "released", "ended")))
        with self._transaction() as connection:
            return _updated(connection, where, {"state": "ended", "expires_at": None})

    def reap(self, study: str | None = None) -> list[Holding]:
        """Release every trial of a study, or of all, whose lease has run out: its attempt lost, its token void.

        A lease that is found to have run out is first doubted for `DOUBT` of its length, so it takes
        two calls. Only a call that is made again and again reaps.

        Returns:
            The trials as they are now; of several reapers one gets each.
        """
        columns = trials_table.c
        is_out = [columns.state == "running", columns.expires_at < EpochNow()]
        if study is not None:
            is_out.append(columns.study == study)
        is_sure = columns.doubted_at <= EpochNow() - DOUBT * sa.func.coalesce(columns.lease, 0.0)
        values = {"state": "released", "is_lost": True, "token": None, "expires_at": None, "doubted_at": None}
        with self._transaction() as connection:
            if connection.scalar(sa.select(columns.number).where(*is_out).limit(1)) is None:
                return []  # most often so, and then nothing is locked
            reaped = _reaped(connection, (*is_out, is_sure), values)
            # Doubted last: between two statements a slow machine may spend all the time that a doubt lasts.
            _updated(connection, (*is_out, columns.doubted_at.is_(None)), {"doubted_at": EpochNow()})
            return reaped

    def unfinished(self) -> list[Holding]:
        """Trials of all studies that are decided, but whose worker has not ended them in its lease's time."""
        columns = trials_table.c
        with self._transaction() as connection:
            return _selected(connection, columns.state == "decided", columns.expires_at < EpochNow())

    def exhausted(self, attempts: int, study: str | None = None) -> list[Holding]:
        """Trials that have lost their worker in `attempts` attempts or more, and wait for a further one."""
        columns = trials_table.c
        where = [columns.state == "released", columns.is_lost, columns.attempt >= attempts]
        if study is not None:
            where.append(columns.study == study)
        with self._transaction() as connection:
            return _selected(connection, *where)

    def holdings(self, study: str, states: Sequence[State] = ()) -> list[Holding]:
        """The study's trials in the ledger by number; all, or those in one of `states`."""
        columns = trials_table.c
        where = [columns.study == study]
        if states:
            where.append(columns.state.in_(states))
        with self._transaction() as connection:
            return _selected(connection, *where)

    def has_leases(self) -> bool:
        """Whether anybody has a trial of any study whose lease has not run out."""
        columns = trials_table.c
        live = sa.select(columns.number).where(columns.state == "running", columns.expires_at > EpochNow())
        with self._transaction() as connection:
            return connection.scalar(live.limit(1)) is not None

    def forget(self, study: str) -> None:
        """Remove all of a study's trials: it was deleted, or one of its name is created anew."""
        with self._transaction() as connection:
            connection.execute(trials_table.delete().where(trials_table.c.study == study))

    def _lay_down(self, token: str, state: State, **values: Any) -> bool:
        """Let the running trial of that token wait, here and in Optuna's tables, or find that this was done."""
        columns = trials_table.c
        mine = columns.token == token
        change = {"state": state, "expires_at": None, **values}
        with self._transaction() as connection:
            if not _updated(connection, (mine, columns.state == "running"), change):
                return connection.scalar(sa.select(columns.number).where(mine, columns.state == state)) is not None
            (holding,) = _selected(connection, mine)
            return _shown_paused(connection, holding)

    def _change(self, token: str, state: State, before: State = "running", **values: Any) -> bool:
        """Change the running trial of that token (or one that is `before`), or repeat it; False if there is none."""
        columns = trials_table.c
        where = (columns.token == token, columns.state.in_(("running", before, state)))
        with self._transaction() as connection:
            return _updated(connection, where, {"state": state, **values})


def _take_up(connection: sa.Connection, study: str, number: int, values: Mapping[str, Any]) -> str | None:
    """Change a trial that waits, here and in Optuna's tables, under a new token; None if it does not wait."""
    columns = trials_table.c
    key = (columns.study == study, columns.number == number)
    waits = (*key, columns.state.in_(("paused", "released")))
    row = connection.execute(sa.select(trials_table).where(*waits).with_for_update()).mappings().one_or_none()
    if row is None:
        return None
    found = optuna_rows.find(connection, study, number)
    if found is not None:
        trial_id, state = found
        if Holding.from_row(row).has_ended(state):
            _updated(connection, key, {"state": "ended"})
            return None
        optuna_rows.show_running(connection, trial_id)
    token = _new_token()
    _updated(connection, key, {"token": token, **values})
    return token


def _shown_paused(connection: sa.Connection, holding: Holding) -> bool:
    """Show in Optuna's tables that no worker holds a trial; False if it was ended there, from outside."""
    key = (trials_table.c.study == holding.study, trials_table.c.number == holding.number)
    found = optuna_rows.find(connection, holding.study, holding.number)
    if found is None:
        return True  # its study was deleted
    trial_id, state = found
    if state.is_finished():
        _updated(connection, key, {"state": "ended"})
        return False
    value = optuna_rows.best_value(connection, trial_id)
    optuna_rows.show_paused(connection, trial_id, value)
    _updated(connection, key, {"value": value})
    return True


def _reaped(
    connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], values: Mapping[str, Any]
) -> list[Holding]:
    """Reap what is found; returns it as it is then. Of two processes at once only one finds each."""
    lost = _changed(connection, where, values)
    return [holding for holding in lost if _shown_paused(connection, holding)]


def _new_token() -> str:
    return secrets.token_hex(8)


def _leased(ttl: float) -> dict[str, Any]:
    return {"expires_at": EpochNow() + ttl, "lease": ttl, "doubted_at": None}


def _updated(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], values: Mapping[str, Any]) -> bool:
    update = trials_table.update().where(*where).values(**values, changed_at=EpochNow())
    return connection.execute(update).rowcount > 0


def _changed(
    connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]], values: Mapping[str, Any]
) -> list[Holding]:
    """Change what is found; returns it as it is then. Of two processes at once only one finds each."""
    key = sa.tuple_(trials_table.c.study, trials_table.c.number)
    # Locked first, and then changed by what was locked: the condition has no meaning afterwards.
    found = [tuple(row) for row in connection.execute(sa.select(*key.clauses).where(*where).with_for_update())]
    if not found:
        return []
    _updated(connection, (key.in_(found),), values)
    return _selected(connection, key.in_(found))


def _selected(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Holding]:
    query = sa.select(trials_table).where(*where).order_by(trials_table.c.study, trials_table.c.number)
    return [Holding.from_row(row) for row in connection.execute(query).mappings()]
