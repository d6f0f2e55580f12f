"""What is particular to PostgreSQL: its connections, its passwords, its clock."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from urllib.parse import quote

import optuna
import pytest
import sqlalchemy as sa

from storage.errors import StorageError, StoreBusyError
from storage.store import open_store
from storage.url import StoreUrl

PASSWORD = "p{a}%40@:/"  # every character that an address gives a meaning
ENCODED = quote(PASSWORD, safe="")


def scalar(engine, statement):
    with engine.connect() as connection:
        return connection.exec_driver_sql(statement).scalar()


def connections_of(admin, role):
    return admin.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [role]).fetchone()[0]


def eventually(condition):
    """Whether something becomes so: a server ends what served a connection a moment after it is closed."""
    until = time.monotonic() + 20
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.fixture
def guarded_url(postgres_server):
    """An empty database of a user whose password the server checks."""
    admin, rules = postgres_server.admin, postgres_server.data_folder / "pg_hba.conf"
    trusting = rules.read_text()
    admin.execute(f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    rules.write_text("local all guarded scram-sha-256\n" + trusting)
    admin.execute("SELECT pg_reload_conf()")
    url = postgres_server.create_database()
    name = url.partition("?")[0].rpartition("/")[2]
    yield lambda password: postgres_server.url(name, f"guarded:{password}")
    postgres_server.drop_database(url)
    rules.write_text(trusting)
    admin.execute("SELECT pg_reload_conf()")
    admin.execute("DROP ROLE guarded")


def wait_until_checked(url):
    """The server reads its rules anew a moment after it is told to."""
    for _ in range(600):
        try:
            sa.create_engine(url, poolclass=sa.NullPool).connect().close()
        except sa.exc.OperationalError:
            return
        time.sleep(0.05)
    raise AssertionError("the server does not check the password")


def test_password_any_characters(guarded_url, capfd):
    wait_until_checked(StoreUrl.parse(guarded_url("wrong")).sqlalchemy)

    with open_store(guarded_url(ENCODED)) as store:
        optuna.create_study(study_name="s", storage=store.optuna)
        with store.lock("x"):
            shown = [str(store.url), repr(store.url), repr(store.engine), repr(store.optuna.engine), repr(vars(store))]
        arguments = [path.read_bytes().decode() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    printed = capfd.readouterr()

    for text in (*shown, *arguments, printed.out, printed.err):
        assert PASSWORD not in text
        assert ENCODED not in text


def test_password_wrong(guarded_url):
    url = guarded_url("wr%7Bng%7D")
    wait_until_checked(StoreUrl.parse(url).sqlalchemy)

    with pytest.raises(StorageError) as caught:
        open_store(url)

    said = str(caught.value)
    assert 'password authentication failed for user "guarded"' in said
    assert said.endswith("; check the user and the password in the address")
    whole = "".join(traceback.format_exception(caught.value))
    assert "wr{ng}" not in whole
    assert "wr%7Bng%7D" not in whole


def test_password_not_in_database(guarded_url):
    with open_store(guarded_url(ENCODED)) as store:
        optuna.create_study(study_name="s", storage=store.optuna)
        with store.engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            rows = [repr(connection.exec_driver_sql(f"SELECT * FROM {name}").all()) for name in tables]

    assert not any("p{a}" in row or "p%7B" in row for row in rows)


def test_connection_settings(postgres_url):
    with open_store(postgres_url) as store:
        for engine in (store.engine, store.optuna.engine):
            assert scalar(engine, "SHOW timezone") == "UTC"
            assert scalar(engine, "SHOW application_name") == "hpsearch"
            assert scalar(engine, "SHOW idle_in_transaction_session_timeout") == "30s"
            assert engine.hide_parameters
            assert engine.pool.size() + engine.pool._max_overflow <= 3


def test_options_of_address_kept(postgres_url):
    url = f"{postgres_url}&options=-c%20work_mem%3D7MB&application_name=mine"
    with open_store(url) as store:
        assert scalar(store.engine, "SHOW work_mem") == "7MB"
        assert scalar(store.engine, "SHOW timezone") == "UTC"
        assert scalar(store.engine, "SHOW application_name") == "mine"


def test_f20_time_zone_of_user_without_effect(postgres_server, postgres_url):
    postgres_server.admin.execute("ALTER ROLE postgres SET timezone = 'Asia/Tokyo'")
    try:
        with open_store(postgres_url) as store:
            before, now, after = time.time(), store.now(), time.time()
            assert before - 0.1 <= now <= after + 0.1  # not hours apart
            token = store.ledger.take("s", 0, "w", 60.0)
            assert store.ledger.reap("s") == []
            assert store.ledger.renew(token, -1.0)
            assert store.ledger.reap("s") == []  # doubted
            assert len(store.ledger.reap("s")) == 1
    finally:
        postgres_server.admin.execute("ALTER ROLE postgres RESET timezone")


def test_f07_transaction_of_a_suspended_worker_is_ended(postgres_url):
    def with_options(options):
        return f"{postgres_url}&options={quote(options)}"

    suspended = open_store(with_options("-c idle_in_transaction_session_timeout=1s"))
    with suspended, open_store(with_options("-c lock_timeout=60s")) as other:
        token = other.ledger.take("s", 0, "w", 60.0)
        connection = suspended.engine.connect()
        connection.exec_driver_sql("UPDATE hpsearch_trials SET epoch = 7")

        assert other.ledger.renew(token, 60.0)  # waits for the row

        with pytest.raises(sa.exc.DBAPIError, match="idle-in-transaction"):
            connection.commit()
        connection.close()
        assert suspended.ledger.renew(token, 60.0)
        assert other.ledger.holdings("s")[0].epoch == 0


def test_connections_cut_by_server(postgres_server, postgres_url):
    with open_store(postgres_url) as store:
        study = optuna.create_study(study_name="s", storage=store.optuna)
        trial = study.ask()
        token = store.ledger.take("s", 0, "w", 60.0)
        cut = postgres_server.admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'hpsearch'"
        ).fetchone()[0]
        assert cut >= 2

        trial.report(0.5, 1)
        study.tell(trial, 0.5)
        assert store.ledger.renew(token, 60.0)
        assert study.best_trial.intermediate_values == {1: 0.5}


def test_lock_freed_when_its_connection_is_cut(postgres_server, postgres_url):
    with open_store(postgres_url) as store:
        with store.lock("x"):
            postgres_server.admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
            with store.lock("x", timeout=60.0):
                pass
        with store.lock("x", timeout=60.0):
            pass


def test_lock_holds_no_transaction_open(postgres_server, postgres_url):
    with open_store(postgres_url) as store, store.lock("x"):
        states = postgres_server.admin.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'hpsearch'"
        ).fetchall()

    assert {state for (state,) in states} == {"idle"}


def test_connections_closed_with_store(postgres_server, postgres_url):
    store = open_store(postgres_url)
    store.ledger.holdings("s")
    store.close()

    for _ in range(600):  # the server notices a moment later
        (left,) = postgres_server.admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hpsearch'"
        ).fetchone()
        if left == 0:
            break
        time.sleep(0.05)
    assert left == 0


def test_files_in_current_folder(postgres_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_store(postgres_url) as store:
        assert store.files.root == tmp_path / "hpsearch-files"


def test_database_missing(postgres_server):
    url = postgres_server.url("absent")

    with pytest.raises(StorageError) as caught:
        open_store(url)

    said = str(caught.value)
    assert said.startswith(f"the store {url} must answer, but: ")
    assert said.endswith('database "absent" does not exist; create it first: createdb absent')


def test_server_not_there(tmp_path):
    with pytest.raises(StorageError) as caught:
        open_store(f"postgresql://me:secret@/db?host={tmp_path}")

    said = str(caught.value)
    assert said.startswith(f"the store postgresql://me:***@/db?host={tmp_path} must answer, but: ")
    assert said.endswith("; check the address, and that the server runs and can be reached from here")


def test_f32_connections_that_are_not_in_use_are_given_back(postgres_server, postgres_url):
    postgres_server.admin.execute("CREATE ROLE three LOGIN CONNECTION LIMIT 3 IN ROLE postgres")
    url = postgres_url.replace("//postgres@", "//three@")

    def has_connections(number):
        return eventually(lambda: connections_of(postgres_server.admin, "three") == number)

    open_store(postgres_url).close()  # makes the tables
    with open_store(url) as store:
        store.now()
        store.optuna.get_all_studies()
        with store.engine.connect():  # another thread's
            store.now()
            assert has_connections(3)
            store.rest()
            assert has_connections(1)
        store.rest()
        assert has_connections(0)

        with (
            pytest.raises(StoreBusyError),
            store.engine.connect(),
            store.engine.connect(),
            store.optuna.engine.connect(),
            store.answering(),
            store.lock("x"),
        ):
            pass
        assert has_connections(3 - 1)  # one was over the pool's size
        with store.answering():
            store.now()
        assert has_connections(0)
    postgres_server.admin.execute("DROP ROLE three")
