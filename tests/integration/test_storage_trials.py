"""Our reader of Optuna's tables says what Optuna's own says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

if TYPE_CHECKING:
    from storage.store import Store
    from storage.trials import Trials

DISTRIBUTIONS = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "width": IntDistribution(64, 512, step=64),
    "kind": CategoricalDistribution(["b", None, 3, "ä"]),
}


@pytest.fixture
def study(store: Store) -> optuna.Study:
    return optuna.create_study(study_name="read", storage=store.optuna, direction="maximize")


def reader(store: Store, study: optuna.Study) -> Trials:
    return store.trials(study._study_id, user=("name", "shown"), system=("curve",))


def add(study: optuna.Study, state: TrialState, value: float | None = None, **params: Any) -> None:
    study.add_trial(
        optuna.trial.create_trial(
            state=state, value=value, params=params, distributions={name: DISTRIBUTIONS[name] for name in params},
            user_attrs={"name": "mine", "other": [1]}, system_attrs={"curve": [{"epoch": 1}], "vitals": ["long"]},
            intermediate_values={1: 0.5},
        )
    )  # fmt: skip


def same(found: Any, frozen: optuna.trial.FrozenTrial) -> bool:
    kept = {name: text for name, text in frozen.user_attrs.items() if name in ("name", "shown")}
    return (
        (found.number, found.state, found.value) == (frozen.number, frozen.state, frozen.value)
        and list(found.params.items()) == list(frozen.params.items())
        and [type(value) for value in found.params.values()] == [type(value) for value in frozen.params.values()]
        and found.user_attrs == kept
        and found.system_attrs == {name: v for name, v in frozen.system_attrs.items() if name == "curve"}
    )


def test_reader_agrees_with_optuna(store: Store, study: optuna.Study) -> None:
    add(study, TrialState.COMPLETE, 0.25, width=128, rate=1e-3, kind=None)
    add(study, TrialState.COMPLETE, math.inf, kind="ä")
    add(study, TrialState.COMPLETE, -math.inf, kind=3)
    add(study, TrialState.PRUNED, 0.5, rate=0.1)
    add(study, TrialState.FAIL)
    running = study.ask({"rate": DISTRIBUTIONS["rate"]})
    running.report(0.7, 1)
    add(study, TrialState.WAITING, width=512)

    found = reader(store, study).all()

    assert len(found) == 7
    assert all(same(one, frozen) for one, frozen in zip(found, study.get_trials(), strict=True))


def test_reader_sees_what_happened_since(store: Store, study: optuna.Study) -> None:
    trials = reader(store, study)
    assert trials.all() == []
    one = study.ask({"width": DISTRIBUTIONS["width"]})
    assert trials.all()[0].state == TrialState.RUNNING
    one.set_user_attr("shown", "new")
    study.tell(one, 0.5)
    ended = trials.all()
    add(study, TrialState.WAITING)

    again = trials.all()

    assert (ended[0].state, ended[0].value, ended[0].user_attrs) == (TrialState.COMPLETE, 0.5, {"shown": "new"})
    assert [one.state for one in again] == [TrialState.COMPLETE, TrialState.WAITING]
    assert again[0] is ended[0]  # read once


def test_reader_takes_more_trials_than_one_query_can(store: Store, study: optuna.Study) -> None:
    study.add_trials([optuna.trial.create_trial(state=TrialState.FAIL) for _ in range(501)])

    assert [one.number for one in reader(store, study).all()] == list(range(501))


def test_reader_reads_its_study_alone(store: Store, study: optuna.Study) -> None:
    other = optuna.create_study(study_name="other", storage=store.optuna)
    add(other, TrialState.WAITING)

    assert reader(store, study).all() == []
