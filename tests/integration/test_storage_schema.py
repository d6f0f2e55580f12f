"""A store's schema: made once, checked on every opening, changed only when asked to."""

from __future__ import annotations

import json

import optuna
import pytest
import sqlalchemy as sa

from storage import schema
from storage.errors import StorageError
from storage.store import check_schema, open_store, upgrade_schema
from storage.url import StoreUrl

OLD = "v3.0.0.d"  # one revision before Optuna's latest


def execute(url, *statements):
    engine = sa.create_engine(StoreUrl.parse(url).sqlalchemy)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def contents(url):
    """Everything in the database: a file's bytes, or every row of every table and every index."""
    address = StoreUrl.parse(url)
    if address.path is not None:
        return address.path.read_bytes()
    engine = sa.create_engine(address.sqlalchemy)
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        tables = sorted(inspector.get_table_names())
        rows = {name: connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in tables}
        indexes = {name: inspector.get_indexes(name) for name in tables}
    engine.dispose()
    return rows, indexes


def made(url):
    open_store(url).close()
    return url


def test_store_created_and_opened_again(store_url, tmp_path):
    with open_store(store_url, tmp_path / "files") as store:
        optuna.create_study(study_name="s", storage=store.optuna)
    with open_store(store_url, tmp_path / "files", create=False) as store:
        assert store.optuna.get_study_id_from_name("s") == 1
    assert check_schema(store_url).is_current


def test_store_opened_changes_nothing(store_url):
    made(store_url)
    before = contents(store_url)

    open_store(store_url).close()
    assert check_schema(store_url).is_current
    assert contents(store_url) == before


@pytest.mark.parametrize(
    ("statement", "condition", "words"),
    [
        (f"UPDATE alembic_version SET version_num = '{OLD}'", "behind", "hpsearch db upgrade"),
        ("UPDATE alembic_version SET version_num = 'v9.0.0.a'", "unknown", "install a later hpsearch"),
        ("UPDATE hpsearch_schema SET version = 99", "unknown", "install a later hpsearch"),
        ("DELETE FROM alembic_version", "unknown", "restore them from a backup"),
        ("DELETE FROM version_info", "unknown", "restore them from a backup"),
    ],
    ids=["behind", "later optuna", "later hpsearch", "no revision", "no version"],
)
def test_schema_not_current_refused(store_url, statement, condition, words):
    execute(made(store_url), statement)
    before = contents(store_url)

    with pytest.raises(StorageError) as caught:
        open_store(store_url)

    assert words in str(caught.value)
    assert str(caught.value).startswith(StoreUrl.parse(store_url).masked)
    assert check_schema(store_url).condition == condition
    assert contents(store_url) == before


def test_upgrade_optuna_behind(store_url):
    with open_store(store_url) as store:
        optuna.create_study(study_name="s", storage=store.optuna)
        store.ledger.take("s", 0, "w", 60.0)
    execute(store_url, f"UPDATE alembic_version SET version_num = '{OLD}'")

    assert upgrade_schema(store_url) == (f"Optuna's tables: {OLD} to v3.2.0.a",)
    assert upgrade_schema(store_url) == ()
    with open_store(store_url, create=False) as store:
        assert store.optuna.get_study_id_from_name("s") == 1
        assert len(store.ledger.holdings("s")) == 1


def test_upgrade_store_of_optuna_alone(store_url):
    address = StoreUrl.parse(store_url)
    plain = optuna.storages.RDBStorage(address.full.replace("postgresql:", "postgresql+psycopg:"))
    optuna.create_study(study_name="s", storage=plain)
    schema.close_optuna(plain)
    before = contents(store_url)

    with pytest.raises(StorageError, match="`hpsearch db upgrade` adds them"):
        open_store(store_url)
    assert contents(store_url) == before

    assert upgrade_schema(store_url) == ("our tables: none to 3",)
    with open_store(store_url, create=False) as store:
        assert store.optuna.get_study_id_from_name("s") == 1
        store.ledger.take("s", 0, "w", 60.0)


@pytest.mark.parametrize(
    "statement", ["UPDATE alembic_version SET version_num = 'v9.0.0.a'", "UPDATE hpsearch_schema SET version = 99"]
)
def test_upgrade_of_later_version_refused(store_url, statement):
    execute(made(store_url), statement)
    before = contents(store_url)

    with pytest.raises(StorageError, match="install a later hpsearch"):
        upgrade_schema(store_url)
    assert contents(store_url) == before


def test_database_of_another_program(store_url):
    execute(store_url, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    before = contents(store_url)

    for command in (open_store, upgrade_schema):
        with pytest.raises(StorageError, match="give the store a database of its own"):
            command(store_url)
    assert contents(store_url) == before


@pytest.mark.parametrize("step", ["open_optuna", "_set_version"])
def test_creation_interrupted(store_url, monkeypatch, step):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(schema, step, die)
        with pytest.raises(KeyboardInterrupt):
            open_store(store_url)

    assert check_schema(store_url).condition == "unfinished"
    with pytest.raises(StorageError, match="`hpsearch start` completes it"):
        open_store(store_url, create=False)
    open_store(store_url).close()
    assert check_schema(store_url).is_current


def test_upgrade_completes_interrupted_creation(store_url):
    execute(made(store_url), "UPDATE hpsearch_schema SET version = 0")

    assert upgrade_schema(store_url) == ("completed a store whose creation was interrupted",)
    assert check_schema(store_url).is_current


def test_store_missing_not_created(store_url):
    for command in (lambda url: open_store(url, create=False), upgrade_schema):
        with pytest.raises(StorageError, match="there is no store"):
            command(store_url)
    assert check_schema(store_url).condition == "empty"
    path = StoreUrl.parse(store_url).path
    assert path is None or not path.exists()


def test_f25_store_of_version_one_is_refused_and_brought_up_to_date(store_url):
    made(store_url)
    execute(
        store_url,
        "DROP TABLE hpsearch_late_results",
        *(f"ALTER TABLE hpsearch_trials DROP COLUMN {name}" for name in ("lease", "doubted_at", "result")),
        "INSERT INTO hpsearch_trials"
        " (study, number, state, token, worker, attempt, is_lost, epoch, expires_at, changed_at)"
        " VALUES ('s', 0, 'running', 'old', 'w', 1, FALSE, 0, 1.0, 1.0)",
        "UPDATE hpsearch_schema SET version = 1",
    )
    before = contents(store_url)

    with pytest.raises(StorageError, match="`hpsearch db upgrade`"):
        open_store(store_url)
    assert contents(store_url) == before
    assert upgrade_schema(store_url) == ("our tables: 1 to 3",)

    with open_store(store_url, create=False) as store:
        assert store.ledger.reap("s") == []  # doubted
        assert [holding.token for holding in store.ledger.reap("s")] == [None]
        assert store.late.of("s") == []


def test_store_of_version_two_shows_its_paused_and_pruned_trials(store_url):
    space = json.dumps({"objective": {"metric": "m", "direction": "maximize"}})
    curves = [
        [{"m": 0.5}, {"m": 0.7}, {"m": 0.6}], [{"m": 0.9, "val_images": 400}], [], [{"m": 0.4}], [{"m": 0.3}],
    ]  # fmt: skip
    with open_store(store_url) as store:
        study = optuna.create_study(study_name="s", storage=store.optuna, direction="maximize")
        store.optuna.set_study_system_attr(study._study_id, "hpsearch:space", space)
        bad = optuna.create_study(study_name="bad", storage=store.optuna)
        store.optuna.set_study_system_attr(bad._study_id, "hpsearch:space", "{")
        for number, curve in enumerate(curves):
            trial = study.ask()
            store.optuna.set_trial_system_attr(trial._trial_id, "hpsearch:curve", curve)
            store.ledger.take("s", number, "w", 60.0)
        fourth = store.optuna.get_trial_id_from_study_id_trial_number(study._study_id, 3)
        store.optuna.set_trial_state_values(fourth, optuna.trial.TrialState.PRUNED, [0.4])
    execute(
        store_url,
        "UPDATE hpsearch_trials SET state = 'paused' WHERE number IN (0, 1)",
        "UPDATE hpsearch_trials SET state = 'released' WHERE number = 2",
        "UPDATE hpsearch_trials SET state = 'ended' WHERE number = 3",
        "UPDATE hpsearch_schema SET version = 2",
    )
    assert upgrade_schema(store_url) == (
        "our tables: 2 to 3",
        "paused and pruned trials that Optuna's tables now show with their best value: 4",
    )
    assert upgrade_schema(store_url) == ()

    with open_store(store_url, create=False) as store:
        study = optuna.load_study(study_name="s", storage=store.for_reading())
        shown = [(trial.state.name, trial.value) for trial in study.trials]
        assert shown == [
            ("COMPLETE", 0.7), ("COMPLETE", pytest.approx(0.9 - 0.015)), ("WAITING", None), ("COMPLETE", 0.4),
            ("RUNNING", 0.3),
        ]  # fmt: skip
        assert [trial.user_attrs.get("state") for trial in study.trials] == ["paused"] * 3 + ["pruned", None]
        assert store.ledger.resume("s", 0, "w", 60.0) is not None
        assert study.trials[0].state.name == "RUNNING"
