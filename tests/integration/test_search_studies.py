"""A store whose studies come and go, or are not ours, while others look at them."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from small_study import DATA, SPACE

from search.errors import StudyNotFoundError
from search.preparation import prepare
from search.request import Request
from search.studies import PassedOver, forget_deleted, outlives_deletions, whole
from search.study import Study, create, names
from search.view.status import views
from search.worker import worker
from search.worker.claim import Claim, Holder, claim
from search.worker.closing import end_if_over
from search.worker.orders import Orders
from search.worker.worker import Worker
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store


NONE = PassedOver(pytest.fail)
"""No study is to be passed over."""


class Idle:
    """A trainer that is not asked for anything."""

    def kill(self) -> None:
        pass


def begun(store: Store, name: str) -> Study:
    return create(store, name, read_space_text(SPACE), DATA, seed=0)


def cut_short(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation of `cut` that ends before it has written the space."""

    def die(_self: Any, _study: int, key: str, value: Any) -> None:
        if key == "hpsearch:space":
            raise KeyboardInterrupt
        write(_self, _study, key, value)

    write = type(store.optuna).set_study_system_attr
    with monkeypatch.context() as patch:
        patch.setattr(type(store.optuna), "set_study_system_attr", die)
        with pytest.raises(KeyboardInterrupt):
            begun(store, "cut")


def request_for(name: str) -> Request:
    return Request.of(space="quick", study=name, data=None, trials=None, timeout=None, workers="0", settings=(), seed=0)


def test_status_lists_the_studies_that_are_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    optuna.create_study(study_name="foreign", storage=store.optuna)
    cut_short(store, monkeypatch)
    begun(store, "mine")

    assert [view.name for view in views(store, passed_over=NONE)] == ["mine"]
    assert [view.name for view in views(store, "mine", passed_over=NONE)] == ["mine"]
    with pytest.raises(StudyNotFoundError, match="'foreign' was not made by hpsearch"):
        views(store, "foreign", passed_over=NONE)


def test_study_that_is_deleted_before_it_is_opened_is_passed_over(store: Store) -> None:
    studies = [begun(store, name) for name in ("one", "other")]
    found = whole(store, passed_over=NONE)

    first = next(found)
    store.optuna.delete_study(studies[1].id)

    assert (first.name, list(found)) == ("one", [])


def test_only_a_study_that_is_gone_excuses_a_key_that_is_not_there(store: Store) -> None:
    study = begun(store, "mine")

    with pytest.raises(KeyError), outlives_deletions(store):
        study.trial_id(99)
    with outlives_deletions(store):
        store.optuna.delete_study(study.id)
        study.control()


def test_start_creates_anew_what_was_cut_short(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_short(store, monkeypatch)
    said: list[str] = []

    study = prepare(store, request_for("cut"), DATA, said.append)

    assert said == ["study cut was not created to the end; it is created anew"]
    assert len(study.trials()) > 0
    assert names(store) == ["cut"]
    prepare(store, request_for("cut"), DATA, said.append)
    assert said[1].startswith("carrying on study cut")


def test_start_leaves_alone_what_it_did_not_make(store: Store) -> None:
    optuna.create_study(study_name="foreign", storage=store.optuna).ask()

    with pytest.raises(StudyNotFoundError, match="'foreign' was not made by hpsearch"):
        prepare(store, request_for("foreign"), DATA, lambda _line: None)

    assert names(store) == ["foreign"]


def round_of(worker: Worker) -> bool:
    return worker._round()


def test_worker_passes_over_studies_that_nobody_can_work_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.0)
    optuna.create_study(study_name="foreign", storage=store.optuna)
    cut_short(store, monkeypatch)

    assert round_of(Worker(store, Orders()))  # it waits
    assert not round_of(Worker(store, Orders(drain=True)))


def test_worker_goes_on_while_one_of_its_studies_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.0)
    studies = [begun(store, name) for name in ("one", "other")]
    served = Worker(store, Orders(studies=("one", "other"), disk_floor=1 << 60))  # so it takes nothing

    store.optuna.delete_study(studies[0].id)
    assert round_of(served)
    store.optuna.delete_study(studies[1].id)
    with pytest.raises(StudyNotFoundError, match="there is no study 'one'"):
        round_of(served)


def test_worker_of_a_deleted_study_leaves_its_successor_s_trials(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study = begun(store, "mine")
    begun(store, "other")  # else SQLite gives the successor the same key
    me = Holder(worker="me")

    class Surprised:
        """An attempt in whose middle the study is replaced by one of its name."""

        def __init__(self, *_: object) -> None:
            pass

        def run(self) -> None:
            store.optuna.delete_study(study.id)
            assert isinstance(claim(begun(store, "mine"), me), Claim)
            study.control()

    monkeypatch.setattr(worker, "Attempt", Surprised)
    serving = Worker(store, Orders())
    serving._trainer = Idle()
    first = claim(study, serving._holder)
    assert isinstance(first, Claim)

    serving._train(study, first)

    assert [(holding.worker, holding.state) for holding in store.ledger.holdings("mine")] == [("me", "running")]


def test_ledger_forgets_a_deleted_study(store: Store) -> None:
    study = begun(store, "mine")
    claim(study, Holder(worker="me"))
    store.optuna.delete_study(study.id)

    forget_deleted(store, "mine")

    assert store.ledger.holdings("mine") == []


def test_successor_of_a_deleted_study_is_another_one(store: Store) -> None:
    study = begun(store, "mine")
    store.optuna.delete_study(study.id)

    successor = begun(store, "mine")  # in SQLite with the same key

    assert not study.exists()
    assert successor.exists()
    assert claim(study, Holder(worker="me")) == "wait"
    assert store.ledger.holdings("mine") == []
    assert study.folder(0) != successor.folder(0)


def test_trial_whose_worker_died_before_it_took_it_does_not_keep_a_study_from_ending(store: Store) -> None:
    study = begun(store, "mine")
    store.optuna.set_trial_state_values(study.trial_id(0), optuna.trial.TrialState.RUNNING)
    study.set_control(replace(study.control(), ending="stopping"))

    assert end_if_over(study)

    [trial] = study.trials()
    assert (trial.state, study.state()) == ("failed", "stopped")
    assert trial.outcome is not None
    assert trial.outcome.reason == "cancelled"


def test_start_does_not_change_a_study_while_its_end_is_decided(store: Store) -> None:
    request = request_for("mine")
    study = prepare(store, request, DATA, lambda _line: None)
    starting = threading.Thread(target=prepare, args=(store, request, DATA, lambda _line: None))

    with study.deciding():
        starting.start()
        starting.join(0.5)
        assert starting.is_alive()
        study.set_control(replace(study.control(), ending="finished"))
    starting.join(60)

    assert study.control().ending is None
