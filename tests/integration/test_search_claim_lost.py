"""Who gets a trial whose worker is gone, or on which one has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from claim_steps import EPOCH, ME, SPACE, begun, lose, taken, train
from optuna.trial import TrialState

from search.training.messages import TrialStarted
from search.worker.claim import Holder, claim
from search.worker.recording import Recording

if TYPE_CHECKING:
    from storage.store import Store


def test_worker_that_died_loses_its_trial(store: Store) -> None:
    study = begun(store)
    lost = taken(study, Holder(worker="gone", lease=0.2))
    train(study, lost, 0.5)
    lose(store)

    again = taken(study)

    assert (again.number, again.resume, again.attempt) == (lost.number, True, 2)
    assert not store.ledger.renew(lost.token, 60)  # the dead one, should it wake up
    assert not store.ledger.end(lost.token)


def test_epoch_whose_worker_died_before_recording_it_is_made_up_for(store: Store) -> None:
    study = begun(store)
    claimed = taken(study)
    train(study, claimed, 0.4)
    in_checkpoint = [
        {"epoch": epoch, "images": epoch * EPOCH, "val_accuracy": value} for epoch, value in ((1, 0.4), (2, 0.6))
    ]

    recording = Recording(study, claimed.number, claimed.token)
    recording.resumed(TrialStarted(trial=0, parameters=7, epoch=2, curve=in_checkpoint))
    recording.write()
    train(study, claimed, 0.5)

    assert [(epoch["epoch"], epoch["val_accuracy"]) for epoch in study.trials()[0].curve] == [
        (1, 0.4),
        (2, 0.6),
        (3, 0.5),
    ]
    assert study.store.optuna.get_trial(study.trial_id(0)).intermediate_values == {3600: 0.4, 7200: 0.6, 10_800: 0.5}


@pytest.fixture
def three_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer workers may be lost than in earnest: each takes its time."""
    monkeypatch.setattr("search.worker.claim.MAX_LOST", 3)


@pytest.mark.usefixtures("three_at_most")
def test_trial_that_loses_too_many_workers_is_given_up(store: Store) -> None:
    study = begun(store, SPACE.replace("trials: 12", "trials: 1"))
    for attempt in (1, 2, 3):
        assert taken(study, Holder(worker="gone", lease=0.1)).attempt == attempt
        lose(store)

    assert claim(study, ME) == "done"

    [trial] = study.trials()
    assert trial.state == "failed"
    assert trial.outcome is not None
    assert trial.outcome.reason == "lost"
    assert trial.outcome.why.startswith("3 workers were lost")


def test_trial_whose_creator_died_is_taken_up(store: Store) -> None:
    study = begun(store)
    store.optuna.set_trial_state_values(study.trial_id(0), TrialState.RUNNING)  # and then the process ended

    assert taken(study).number == 0


def test_trial_whose_first_worker_died_before_it_noted_the_seed_has_the_same_one(store: Store) -> None:
    study, other = begun(store), begun(store, name="other")
    store.optuna.set_trial_state_values(study.trial_id(0), TrialState.RUNNING)
    store.ledger.take("claims", 0, "gone", 0.2)  # and then it died
    lose(store)

    again, same = taken(study), taken(other)

    assert (again.number, again.resume, again.seed) == (same.number, True, same.seed)
    assert study.trials()[0].seed == same.seed


def test_given_back_trial_goes_first(store: Store) -> None:
    study = begun(store)
    first, _ = taken(study), taken(study)
    train(study, first, 0.4)
    store.ledger.release(first.token, 1)

    again = taken(study)

    assert (again.number, again.resume, again.attempt) == (0, True, 1)


@pytest.mark.usefixtures("three_at_most")
def test_trial_lost_between_taking_and_giving_up_is_given_up_by_the_next(store: Store) -> None:
    study = begun(store)
    for _ in range(3):
        taken(study, Holder(worker="gone", lease=-1.0))
        store.ledger.reap()  # and then the reaper died

    assert taken(study).number == 1
    assert study.trials()[0].state == "failed"


def test_trial_that_failed_on_a_worker_is_left_to_others_while_there_are_any(store: Store) -> None:
    study = begun(store)
    me = Holder(worker="me", avoided=frozenset({("claims", 0)}))
    store.ledger.release(taken(study, me).token, 0, lost=True)
    store.ledger.join("other", "host", 1)

    assert taken(study, me).number == 1
    store.ledger.leave("other")
    assert taken(study, me).number == 0


def test_trial_that_failed_on_all_workers_goes_on_being_tried(store: Store) -> None:
    study = begun(store)
    one, other = (Holder(worker=name, avoided=frozenset({("claims", 0)})) for name in ("one", "other"))
    for holder in (one, other):
        store.ledger.join(holder.worker, "host", 1)
    store.ledger.release(taken(study, one).token, 0, lost=True)

    tries = []
    for holder in (other, one, other):  # until it has cost too many trainers
        tries.append(taken(study, holder))
        store.ledger.release(tries[-1].token, 0, lost=True)

    assert [(one.number, one.attempt) for one in tries] == [(0, 2), (0, 3), (0, 4)]


def test_trial_that_failed_here_is_not_left_to_who_does_not_take_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.worker.standing.PASSED_OVER_SECONDS", 0.0)
    study = begun(store)
    me = Holder(worker="me", avoided=frozenset({("claims", 0)}))
    store.ledger.release(taken(study, me).token, 0, lost=True)
    store.ledger.join("other", "host", 1)

    store.ledger.beat("other", "claims", 7, "epoch 1")
    assert taken(study, me).number == 1  # busy: it may come when it has ended that
    store.ledger.beat("other", None, None, "waits for work")
    assert taken(study, me).number == 0


def test_trial_given_back_while_another_worker_looks_is_not_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = begun(store, SPACE.replace("trials: 12", "trials: 1"))
    token, ledger = taken(study, Holder(worker="other")).token, store.ledger
    holdings = ledger.holdings

    def given_back_first(*wanted: Any, **more: Any) -> Any:
        if more.get("states") == ("released",):  # asked after the trials were read
            ledger.release(token, 0)
        return holdings(*wanted, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "holdings", given_back_first)
        assert claim(study, ME) == "wait"

    assert taken(study).number == 0


def test_f11_trial_that_was_created_twice_is_trained_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study = begun(store)
    default = taken(study)
    create = store.optuna.create_new_trial

    def answer_is_lost_at_first(*wanted: Any) -> int:
        create(*wanted)
        return create(*wanted)

    with monkeypatch.context() as patched:
        patched.setattr(store.optuna, "create_new_trial", answer_is_lost_at_first)
        second = taken(study)

    assert (default.number, second.number, taken(study).number) == (0, 2, 3)
    trials = study.trials()
    assert trials[1].params == trials[2].params != trials[3].params
    assert [trial.state for trial in trials] == ["running", "failed", "running", "running"]
    assert trials[1].outcome is not None
    assert trials[1].outcome.reason == "cancelled"
