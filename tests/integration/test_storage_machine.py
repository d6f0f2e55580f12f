"""The ledger against a pure model of it, over any order of asking, beating, expiring, reaping, telling and dying.

Optuna's tables must show each trial complete with its best value where it waits, and running where it is held.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from optuna.study import StudyDirection

from storage.ledger import DOUBT
from storage.optuna_rows import Progress, trials, values
from storage.tables import trials_table

if TYPE_CHECKING:
    from storage.store import Store

LEASE = 1000.0  # seconds, of which a test's own time is nothing
MOMENT = LEASE / 4  # the clock's steps; no lease ends within a second of one
ATTEMPTS = 3

_studies = itertools.count()


@dataclass(eq=False)
class Trial:
    """What the ledger should say of one trial."""

    token: str | None
    state: str = "running"
    attempt: int = 1
    is_lost: bool = False
    expires: float | None = LEASE
    doubted: float | None = None
    result: str | None = None
    best: float | None = None
    """Its best value so far, which Optuna's tables show while it waits."""
    waits: bool = False
    """Whether no worker holds it; one that is dropped stays as Optuna's tables showed it."""

    @property
    def shown(self) -> tuple[str, float | None]:
        """State and value in Optuna's tables."""
        if self.waits:
            return ("WAITING", None) if self.best is None else ("COMPLETE", self.best)
        return "RUNNING", self.best


@dataclass
class Model:
    """The rules in plain Python. Time stands still but for `tick`."""

    now: float = 1.0
    trials: list[Trial] = field(default_factory=list)
    accepted: dict[int, str] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)

    def of(self, token: str, *states: str) -> Trial | None:
        return next((one for one in self.trials if one.token == token and one.state in states), None)

    def renew(self, token: str) -> bool:
        trial = self.of(token, "running")
        if trial:
            trial.expires, trial.doubted = self.now + LEASE, None
        return trial is not None

    def change(self, token: str, state: str, *, lost: bool = False) -> bool:
        trial = self.of(token, "running", state)
        if trial and trial.state == "running":
            trial.state, trial.expires, trial.waits = state, None, True
            if state == "released":
                trial.is_lost = lost
        return trial is not None

    def record(self, token: str, value: float) -> bool:
        trial = self.of(token, "running", "decided")
        if trial:
            trial.best = value if trial.best is None else max(value, trial.best)
        return trial is not None

    def decide_waiting(self, number: int, token: str | None, result: str) -> bool:
        trial = self.trials[number]
        if trial.state not in ("paused", "released"):
            return False
        trial.state, trial.token, trial.result, trial.waits = "decided", token, result, False
        trial.expires, trial.doubted = self.now + LEASE, None
        self.accepted[number] = result
        return True

    def decide(self, token: str, result: str) -> bool:
        trial = self.of(token, "running", "decided", "ended")
        if trial and trial.state == "running":
            trial.state, trial.result = "decided", result
            self.accepted[self.trials.index(trial)] = result
        elif trial is None:
            self.late.add(token)
        return trial is not None

    def end(self, token: str) -> bool:
        trial = self.of(token, "running", "decided", "ended")
        if trial:
            trial.state, trial.expires, trial.result = "ended", None, None
        return trial is not None

    def resume(self, number: int, token: str | None) -> bool:
        trial = self.trials[number]
        if trial.state not in ("paused", "released"):
            return False
        trial.attempt += trial.is_lost
        trial.state, trial.token, trial.is_lost, trial.waits = "running", token, False, False
        trial.expires, trial.doubted = self.now + LEASE, None
        return True

    def reap(self) -> list[int]:
        reaped = []
        for number, trial in enumerate(self.trials):
            if trial.state != "running" or trial.expires is None or trial.expires >= self.now:
                continue
            trial.doubted = self.now if trial.doubted is None else trial.doubted
            if trial.doubted <= self.now - DOUBT * LEASE:
                trial.state, trial.is_lost, trial.token, trial.expires, trial.doubted = (
                    "released",
                    True,
                    None,
                    None,
                    None,
                )
                trial.waits = True
                reaped.append(number)
        return reaped

    def drop(self, number: int) -> bool:
        trial = self.trials[number]
        if trial.state not in ("paused", "released", "ended"):
            return False
        trial.state, trial.expires = "ended", None
        return True


class LedgerMachine(RuleBasedStateMachine):
    """Every step is done in the store and in the model; they must say the same, and stand the same."""

    tokens = Bundle("tokens")
    numbers = Bundle("numbers")

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.study = f"s{next(_studies)}"
        self.optuna_id = store.optuna.create_new_study([StudyDirection.MAXIMIZE], self.study)
        self.model = Model()
        self.given: set[str] = set()

    def _new(self, token: str) -> str:
        assert token not in self.given
        self.given.add(token)
        return token

    @rule(target=tokens)
    def ask_and_take(self) -> Any:
        return self.take_or_resume(self.ask())

    @rule(target=numbers)
    def ask(self) -> int:
        trial_id = self.store.optuna.create_new_trial(self.optuna_id)
        number = self.store.optuna.get_trial_number_from_id(trial_id)
        self.model.trials.append(Trial(token="", state="asked"))
        return number

    @rule(target=tokens, number=numbers)
    def take_or_resume(self, number: int) -> Any:
        trial = self.model.trials[number]
        if trial.token == "":  # asked for, and its worker may have died before it took it
            trial.token = self._new(self.store.ledger.take(self.study, number, "w", LEASE))
            trial.state, trial.expires = "running", self.model.now + LEASE
            return trial.token
        holding = self.store.ledger.resume(self.study, number, "w", LEASE)
        assert self.model.resume(number, holding and holding.token) == (holding is not None)
        return self._new(holding.token) if holding else "nobody's"

    @rule(token=tokens)
    def beat(self, token: str) -> None:
        assert self.store.ledger.renew(token, LEASE) == self.model.renew(token)

    @rule(token=tokens, value=st.integers(0, 9))
    def record(self, token: str, value: int) -> None:
        trial = self.model.of(token, "running", "decided")
        best = value if trial is None or trial.best is None else max(value, trial.best)
        progress = Progress(attributes={"curve": [value]}, steps={value: value}, value=best)
        assert self.store.records.write(token, progress) == self.model.record(token, value)

    @rule(target=tokens, number=numbers)
    def decide_waiting(self, number: int) -> str:
        token = self.store.ledger.decide_waiting(self.study, number, "w", LEASE, lambda new: f"{new} waiting")
        assert self.model.decide_waiting(number, token, f"{token} waiting") == (token is not None)
        return self._new(token) if token else "nobody's"

    @rule(token=tokens, rung=st.integers(1, 3))
    def pause(self, token: str, rung: int) -> None:
        assert self.store.ledger.pause(token, rung, rung) == self.model.change(token, "paused")

    @rule(token=tokens, lost=st.booleans())
    def release(self, token: str, lost: bool) -> None:
        assert self.store.ledger.release(token, 1, lost=lost) == self.model.change(token, "released", lost=lost)

    @rule(token=tokens, value=st.integers(0, 9))
    def tell(self, token: str, value: int) -> None:
        if token == "nobody's":
            return
        result = f"{token} {value}"
        is_accepted = self.store.ledger.decide(token, result)
        assert is_accepted == self.model.decide(token, result)
        if not is_accepted:
            self.store.late.keep(token, self.study, 0, result)

    @rule(token=tokens)
    def end(self, token: str) -> None:
        trial = self.model.of(token, "running")
        if trial is None:  # a worker ends only what it has told
            assert self.store.ledger.end(token) == self.model.end(token)

    @rule(token=consumes(tokens))
    def crash(self, token: str) -> None:
        """The worker of that attempt is never heard of again."""

    @rule(moments=st.integers(1, 8))
    def expire(self, moments: int) -> None:
        """Time passes: all that is written moves into the past."""
        columns = trials_table.c
        past = {name: columns[name] - moments * MOMENT for name in ("expires_at", "doubted_at")}
        with self.store.engine.begin() as connection:
            connection.execute(trials_table.update().where(columns.study == self.study).values(past))
        self.model.now += moments * MOMENT + 0.001  # a lease that ends at this very moment has run out

    @rule()
    def reap(self) -> None:
        assert [holding.number for holding in self.store.ledger.reap(self.study)] == self.model.reap()

    @rule(moments=st.sampled_from([1, 2, 5]))
    def look_again(self, moments: int) -> None:
        """A reaper that looks, and looks again: what chance alone would seldom do in a row."""
        self.expire(5)
        self.reap()
        self.expire(moments)
        self.reap()

    @rule(number=numbers)
    def drop(self, number: int) -> None:
        trial = self.model.trials[number]
        if trial.token != "" and trial.state != "paused":
            assert self.store.ledger.drop(self.study, number) == self.model.drop(number)

    @invariant()
    def stands_as_the_model(self) -> None:
        rows = self.store.ledger.holdings(self.study)
        stand = [
            (h.token, h.state, h.attempt, h.is_lost, h.expires_at is None, h.doubted_at is None, h.result) for h in rows
        ]
        assert stand == [
            (t.token, t.state, t.attempt, t.is_lost, t.expires is None, t.doubted is None, t.result)
            for t in self.model.trials
            if t.token != ""
        ]

    @invariant()
    def optuna_shows_the_model(self) -> None:
        value = sa.select(values.c.value).where(values.c.trial_id == trials.c.trial_id).scalar_subquery()
        rows = sa.select(trials.c.state, value).where(trials.c.study_id == self.optuna_id).order_by(trials.c.number)
        with self.store.engine.connect() as connection:
            shown = [(state.name, found) for state, found in connection.execute(rows)]
        assert shown == [trial.shown for trial in self.model.trials]

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        late = [late.token for late in self.store.late.of(self.study)]
        assert sorted(late) == sorted(self.model.late)
        assert not set(late) & {result.split()[0] for result in self.model.accepted.values()}
        exhausted = [holding.number for holding in self.store.ledger.exhausted(ATTEMPTS, self.study)]
        assert exhausted == [
            number
            for number, trial in enumerate(self.model.trials)
            if trial.state == "released" and trial.is_lost and trial.attempt >= ATTEMPTS
        ]

    def teardown(self) -> None:
        with self.store.engine.begin() as connection:
            connection.execute(sa.delete(trials_table).where(trials_table.c.study == self.study))
        self.store.late.forget(self.study)
        self.store.optuna.delete_study(self.optuna_id)


@pytest.mark.parametrize("n_examples", [25, pytest.param(250, marks=pytest.mark.slow)])
def test_f30_ledger_against_its_model(store: Store, n_examples: int) -> None:
    run_state_machine_as_test(
        lambda: LedgerMachine(store),
        settings=settings(
            max_examples=n_examples, stateful_step_count=30, deadline=None, derandomize=n_examples < 250,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip
