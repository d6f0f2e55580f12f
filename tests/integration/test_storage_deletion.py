"""A study is deleted while somebody writes to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import sqlalchemy as sa

from storage.errors import StorageError
from storage.schema import close_optuna, open_optuna

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.store import Store

TABLE = "trial_intermediate_values"

on_postgresql = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def study(store: Store) -> optuna.Study:
    study = optuna.create_study(study_name="live", storage=store.optuna)
    study.ask().report(0.5, 1)
    return study


class Interruptions:
    """Has another connection write to the study's trial whenever its deletion comes to the trial's values."""

    def __init__(self, store: Store, study: optuna.Study, most: int) -> None:
        self._optuna = open_optuna(store.url)
        self._trial_id = study.trials[0]._trial_id
        self._most = most
        self.n = 0

    def __call__(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(f"DELETE FROM {TABLE}") and self.n < self._most:
            self.n += 1
            self._optuna.set_trial_intermediate_value(self._trial_id, 1 + self.n, 0.5)

    def close(self) -> None:
        close_optuna(self._optuna)


@pytest.fixture
def interruptions(store: Store, study: optuna.Study, request: pytest.FixtureRequest) -> Iterator[Interruptions]:
    found = Interruptions(store, study, request.param)
    sa.event.listen(store.optuna.engine, "before_cursor_execute", found)
    yield found
    sa.event.remove(store.optuna.engine, "before_cursor_execute", found)
    found.close()


@on_postgresql
@pytest.mark.parametrize("interruptions", [3], indirect=True)
def test_study_that_is_written_to_meanwhile_is_deleted(
    store: Store, study: optuna.Study, interruptions: Interruptions
) -> None:
    store.optuna.delete_study(study._study_id)

    assert interruptions.n == 3
    assert store.optuna.get_all_studies() == []


@on_postgresql
@pytest.mark.parametrize("interruptions", [1000], indirect=True)
def test_deletion_that_never_gets_through_says_so(
    store: Store, study: optuna.Study, interruptions: Interruptions
) -> None:
    with pytest.raises(StorageError, match=r"could not be deleted.*hpsearch stop"):
        store.optuna.delete_study(study._study_id)

    assert [found.study_name for found in store.optuna.get_all_studies()] == ["live"]
    assert len(study.trials[0].intermediate_values) == 1 + interruptions.n


@on_sqlite
def test_nobody_writes_to_a_study_that_is_being_deleted(store: Store, study: optuna.Study) -> None:
    outcomes: list[str] = []

    def write(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FROM trials" in statement:  # read already, not deleted yet
            with closing(sqlite3.connect(str(store.url.sqlalchemy.database), timeout=0)) as other:
                try:
                    other.execute(f"INSERT INTO {TABLE} (trial_id, step, intermediate_value_type) VALUES (1, 2, 'NAN')")
                    other.commit()
                    outcomes.append("written")
                except sqlite3.OperationalError as error:
                    outcomes.append(str(error))

    sa.event.listen(store.optuna.engine, "before_cursor_execute", write)
    try:
        store.optuna.delete_study(study._study_id)
    finally:
        sa.event.remove(store.optuna.engine, "before_cursor_execute", write)

    assert set(outcomes) == {"database is locked"}
    assert store.optuna.get_all_studies() == []


def test_study_with_trials_is_deleted(store: Store, study: optuna.Study) -> None:
    other = optuna.create_study(study_name="other", storage=store.optuna)
    other.ask()

    store.optuna.delete_study(study._study_id)

    assert [found.study_name for found in store.optuna.get_all_studies()] == ["other"]
    with pytest.raises(KeyError):
        store.optuna.delete_study(study._study_id)
