"""What Optuna's own tables say of a trial that waits, is trained, or has ended, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.trial import TrialState

from storage.optuna_rows import Progress

if TYPE_CHECKING:
    from storage.store import Store

TTL = 60.0
PAST = -1.0


@pytest.fixture
def study(store: Store) -> optuna.Study:
    return optuna.create_study(study_name="s", storage=store.optuna, direction="maximize")


def begun(store: Store, study: optuna.Study, ttl: float = TTL) -> tuple[int, str]:
    """A new trial that a worker holds: its number and its token."""
    number = study.ask().number
    return number, store.ledger.take("s", number, "w", ttl)


def evaluated(store: Store, token: str, *values: float) -> None:
    for step, _ in enumerate(values, 1):
        seen = values[:step]
        progress = Progress(attributes={"curve": list(seen)}, steps={step: seen[-1]}, value=max(seen))
        assert store.records.write(token, progress)


def seen(store: Store, number: int) -> optuna.trial.FrozenTrial:
    """A trial as a program that knows nothing of hpsearch reads it."""
    storage = optuna.storages.RDBStorage(plain_address(store))
    try:
        return optuna.load_study(study_name="s", storage=storage).trials[number]
    finally:
        storage.remove_session()
        storage.engine.dispose()


def plain_address(store: Store) -> str:
    """The store's address as Optuna takes it."""
    return store.url.full.replace("postgresql:", "postgresql+psycopg:")


def test_paused_trial_is_complete_with_its_best_value(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study)
    evaluated(store, token, 0.5, 0.7, 0.6)
    assert seen(store, number).state is TrialState.RUNNING

    assert store.ledger.pause(token, 3, 3)

    paused = seen(store, number)
    assert (paused.state, paused.value) == (TrialState.COMPLETE, 0.7)
    assert paused.intermediate_values == {1: 0.5, 2: 0.7, 3: 0.6}
    assert paused.user_attrs == {"state": "paused"}
    assert paused.datetime_start <= paused.datetime_complete
    assert store.ledger.holdings("s")[0].value == 0.7


def test_resumed_trial_is_running_and_can_be_written_by_optuna(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study)
    evaluated(store, token, 0.5)
    store.ledger.pause(token, 1, 1)

    resumed = store.ledger.resume("s", number, "w2", TTL)
    assert resumed is not None
    evaluated(store, resumed.token, 0.5, 0.9)

    running = seen(store, number)
    assert (running.state, running.datetime_complete) == (TrialState.RUNNING, None)
    assert running.user_attrs == {"state": "running"}
    trial_id = store.optuna.get_trial_id_from_study_id_trial_number(study._study_id, number)
    store.optuna.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.9])
    assert seen(store, number).value == 0.9


def test_trial_given_back_before_its_first_evaluation_waits(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study)

    assert store.ledger.release(token, 0)

    assert (seen(store, number).state, seen(store, number).value) == (TrialState.WAITING, None)
    assert store.ledger.resume("s", number, "w2", TTL) is not None
    assert seen(store, number).state is TrialState.RUNNING


def test_trial_of_a_lost_worker_is_complete_once_it_is_reaped(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study, ttl=PAST)
    evaluated(store, token, 0.4)
    assert store.ledger.reap("s") == []

    assert [holding.number for holding in store.ledger.reap("s")] == [number]

    assert (seen(store, number).state, seen(store, number).value) == (TrialState.COMPLETE, 0.4)


def test_pause_whose_answer_was_not_heard(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study)
    evaluated(store, token, 0.4)

    assert store.ledger.pause(token, 1, 1)
    assert store.ledger.pause(token, 1, 1)

    assert store.ledger.holdings("s")[0].state == "paused"
    assert seen(store, number).state is TrialState.COMPLETE


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.COMPLETE])
def test_trial_that_was_ended_from_outside_while_it_was_trained(
    store: Store, study: optuna.Study, state: TrialState
) -> None:
    number, token = begun(store, study)
    evaluated(store, token, 0.4)
    study.tell(number, state=state, values=[0.1] if state is TrialState.COMPLETE else None)

    assert not store.records.write(token, Progress(value=0.9))
    assert not store.ledger.pause(token, 1, 1)

    assert store.ledger.holdings("s")[0].state == "ended"
    assert seen(store, number).state is state
    assert seen(store, number).user_attrs == {}


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.COMPLETE])
def test_trial_that_was_ended_from_outside_while_it_waited(
    store: Store, study: optuna.Study, state: TrialState
) -> None:
    number, token = begun(store, study)
    store.ledger.release(token, 0)
    trial_id = store.optuna.get_trial_id_from_study_id_trial_number(study._study_id, number)
    store.optuna.set_trial_state_values(trial_id, state, [0.1] if state is TrialState.COMPLETE else None)

    assert store.ledger.resume("s", number, "w2", TTL) is None

    assert store.ledger.holdings("s")[0].state == "ended"
    assert seen(store, number).state is state


def test_nothing_is_written_for_a_token_that_was_lost(store: Store, study: optuna.Study) -> None:
    number, lost = begun(store, study)
    evaluated(store, lost, 0.4)
    store.ledger.release(lost, 1)
    resumed = store.ledger.resume("s", number, "w2", TTL)
    assert resumed is not None

    assert not store.records.write(lost, Progress(attributes={"curve": [9]}, steps={9: 0.9}, value=0.9))

    assert (seen(store, number).value, seen(store, number).intermediate_values) == (0.4, {1: 0.4})
    assert seen(store, number).system_attrs == {"curve": [0.4]}


def test_failed_trial_keeps_no_value_of_its_pause(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study)
    evaluated(store, token, 0.4)
    store.ledger.pause(token, 1, 1)
    decided = store.ledger.decide_waiting("s", number, "me", TTL, str)
    assert decided is not None
    assert seen(store, number).state is TrialState.RUNNING

    assert store.records.clear_value(decided)
    trial_id = store.optuna.get_trial_id_from_study_id_trial_number(study._study_id, number)
    store.optuna.set_trial_state_values(trial_id, TrialState.FAIL)

    optuna.create_study().add_trial(seen(store, number))  # Optuna refuses a failed trial with a value
    assert not store.records.clear_value(token)


def test_trial_that_waits_takes_attributes(store: Store, study: optuna.Study) -> None:
    number, token = begun(store, study)
    evaluated(store, token, 0.4)
    store.ledger.pause(token, 1, 1)

    assert store.records.annotate("s", number, {"artifacts:1": "{}"})
    assert seen(store, number).system_attrs["artifacts:1"] == "{}"
    store.ledger.drop("s", number)
    assert not store.records.annotate("s", number, {"artifacts:2": "{}"})
    assert not store.records.annotate("s", 7, {"artifacts:2": "{}"})


def test_reader_that_stays_sees_a_paused_trial_go_on(store: Store, study: optuna.Study) -> None:
    watching = optuna.load_study(study_name="s", storage=store.for_reading())
    number, token = begun(store, study)
    evaluated(store, token, 0.4)
    store.ledger.pause(token, 1, 1)
    assert watching.best_value == 0.4
    resumed = store.ledger.resume("s", number, "w", TTL)
    assert resumed is not None
    assert [trial.state for trial in watching.trials] == [TrialState.RUNNING]
    evaluated(store, resumed.token, 0.4, 0.8)
    store.ledger.pause(resumed.token, 2, 2)
    assert (watching.best_value, watching.trials[0].value) == (0.8, 0.8)

    token = store.ledger.decide_waiting("s", number, "w", TTL, str)
    study.tell(number, 0.9)
    store.ledger.end(token)

    assert (watching.best_value, watching.trials[0].value) == (0.9, 0.9)
    assert watching.get_trials(deepcopy=False)[0] is watching.get_trials(deepcopy=False)[0]  # and is kept from now on
