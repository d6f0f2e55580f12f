"""How a study ends, and what becomes of its trials, on real databases without any training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
import pytest
from claim_steps import EPOCH, ME, SPACE, begun, ended, finish, judgement, pause, taken, train
from optuna_dashboard import get_note
from worker_steps import judged

from search.queue import enqueue_point, obstacle
from search.training.messages import Seconds
from search.worker.caretaker import Caretaker
from search.worker.claim import Claim, claim
from search.worker.closing import end_if_over
from search.worker.recording import Recording
from search.worker.spool import Spool

if TYPE_CHECKING:
    from storage.store import Store


def test_last_call_trains_the_best_to_the_end(store: Store) -> None:
    study = begun(store, SPACE.replace("trials: 12", "trials: 2"))
    for value in (0.3, 0.6):
        pause(study, taken(study), value)

    last = taken(study)
    assert last.number == 1
    finish(study, last, *(0.7,) * 8)

    assert claim(study, ME) == "done"
    assert end_if_over(study)
    states = [(trial.state, trial.outcome.reason if trial.outcome else None) for trial in study.trials()]
    assert states == [("pruned", "pruned"), ("complete", "finished")]
    assert study.trials()[0].value == 0.3
    assert study.state() == "finished"


def test_stopped_study_gives_no_trials_and_ends_its_paused(store: Store) -> None:
    study = begun(store)
    pause(study, taken(study), 0.4)
    study.set_control(replace(study.control(), ending="stopping"))

    assert claim(study, ME) == "done"
    assert end_if_over(study)
    assert study.state() == "stopped"
    assert study.trials()[0].state == "pruned"


def test_study_out_of_time_keeps_its_paused_trials(store: Store) -> None:
    study = begun(store)
    pause(study, taken(study), 0.4)
    study.set_control(replace(study.control(), deadline=store.now() - 1))

    assert claim(study, ME) == "done"
    assert not end_if_over(study)
    assert study.state() == "out_of_time"
    assert study.trials()[0].state == "paused"
    best = study.best()
    assert best is not None
    assert best.value == 0.4


def test_nothing_begins_that_cannot_reach_a_score_in_time(store: Store) -> None:
    study = begun(store)
    slow = taken(study)
    train(study, slow, 0.5)
    took = replace(ended(study, slow, "paused"), seconds=Seconds(setup=100.0, train=30.0))
    Recording(study, slow.number, slow.token).paused(took, "Waits.")
    store.ledger.pause(slow.token, 1, 1)
    study.set_control(replace(study.control(), deadline=store.now() + 60))

    assert claim(study, ME) == "late"
    assert not end_if_over(study)
    assert study.trials()[0].state == "paused"

    study.set_control(replace(study.control(), deadline=store.now() + 600))
    assert taken(study).number in (0, 1)  # the one that waits, or a new one


def test_leader_goes_on_where_what_is_new_does_not_fit_into_the_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SPACE.replace("fixed: {architecture: LeNet5}\n", "").replace(
        "search:\n", "search:\n  architecture: {choice: [LeNet5, ResNet50]}\n"
    )
    study = begun(store, text)
    for architecture, pace, value in (("LeNet5", 10.0, 0.6), ("ResNet50", 1000.0, 0.4)):
        claimed = taken(study)
        assert claimed.params["architecture"] == architecture
        pause(study, claimed, value, pace=pace)
    slow = {"architecture": "ResNet50", "learning_rate": 1e-3, "head_width": 64}
    monkeypatch.setattr("search.worker.claim.propose", lambda *_: slow)
    study.set_control(replace(study.control(), deadline=store.now() + 60))

    leader = taken(study)
    assert (leader.number, leader.resume) == (0, True)


def test_grid_ends_when_every_point_was_tried(store: Store) -> None:
    text = SPACE.replace("learning_rate: {float: [1e-4, 1e-2], log: true}", "learning_rate: {choice: [0.01]}")
    text = (text.replace("[64, 512]", "[64, 192]").replace(", trials: 12", "") + "sampler: {name: grid}\n").replace(
        "asha, min_images: 3600", "none"
    )
    study = begun(store, text)

    while isinstance(claimed := claim(study, ME), Claim):
        finish(study, claimed, 0.5)

    assert claimed == "done"
    assert sorted(trial.params["head_width"] for trial in study.trials()) == [64, 128, 192]
    assert end_if_over(study)


def test_study_with_work_left_is_not_over(store: Store) -> None:
    study = begun(store)
    pause(study, taken(study), 0.4)

    assert not end_if_over(study)
    assert study.state() == "open"


def test_point_that_is_queued_in_vain_is_told_why(store: Store) -> None:
    study = begun(store, SPACE.replace("trials: 12", "trials: 1"))
    assert obstacle(study) is None
    pause(study, taken(study), 0.4)

    enqueue_point(study, ["learning_rate=2e-3"], None)

    assert "its budget of trials is used up" in str(obstacle(study))
    assert taken(study).number == 0  # the one that waited
    study.set_control(replace(study.control(), trials=2))
    assert obstacle(study) is None
    assert taken(study).params["learning_rate"] == 2e-3
    study.set_control(replace(study.control(), ending="stopped"))
    assert "it was stopped" in str(obstacle(study))


def test_trial_that_ends_with_its_study_keeps_its_diagnosis(store: Store) -> None:
    study = begun(store)
    claimed = taken(study)
    told = "Not started after 60 steps. Try adam at 1e-4."
    judged(study, claimed, replace(judgement(claimed, EPOCH, 0.1), story=told))
    pause(study, claimed)
    study.set_control(replace(study.control(), ending="stopping"))

    assert end_if_over(study)

    outcome = study.trials()[claimed.number].outcome
    assert outcome is not None
    assert (
        outcome.why == f"Paused after 1 epoch; the study was stopped before the trial was good enough to go on. {told}"
    )
    assert told in get_note(optuna.Trial(study.optuna, study.trial_id(claimed.number)))


def test_trial_that_is_given_back_at_once_keeps_its_diagnosis(store: Store) -> None:
    study = begun(store)
    claimed = taken(study)
    judged(study, claimed, replace(judgement(claimed, EPOCH, 0.1), story="Slow, but alive."))

    Recording(study, claimed.number, claimed.token).handed_back("Given back.")

    outcome = study.trials()[claimed.number].outcome
    assert outcome is not None
    assert outcome.why == "Given back. Slow, but alive."


def test_study_whose_end_was_broken_off_is_ended_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study = begun(store)
    claims = [taken(study) for _ in range(3)]
    for claimed, value in zip(claims, (0.4, 0.6, 0.5), strict=True):
        pause(study, claimed, value)
    study.set_control(replace(study.control(), ending="stopping"))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("search.worker.closing.tell", die)
        patch.setattr("search.worker.closing.TELLING_SECONDS", -1.0)
        with pytest.raises(KeyboardInterrupt):
            end_if_over(study)
    assert [trial.state for trial in study.trials()][:3] == ["running", "paused", "paused"]
    assert not end_if_over(study)  # the first one is not told yet

    Caretaker(store, ME, Spool.of(store.files, "me")).round()

    assert end_if_over(study)
    assert [(trial.state, trial.value) for trial in study.trials()][:3] == [
        ("pruned", 0.4), ("pruned", 0.6), ("pruned", 0.5)
    ]  # fmt: skip
    assert study.optuna.best_value == 0.6


@pytest.mark.parametrize("values", [(), (0.4,)])
def test_trial_that_has_lost_too_many_workers_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch, values: tuple[float, ...]
) -> None:
    monkeypatch.setattr("search.worker.claim.MAX_LOST", 1)
    study = begun(store)
    claimed = taken(study)
    train(study, claimed, *values)
    store.ledger.release(claimed.token, len(values), lost=True)

    assert taken(study).number == 1

    given_up = study.trials()[0]
    assert (given_up.state, given_up.outcome and given_up.outcome.reason) == ("failed", "lost")
    [shown] = [trial for trial in study.optuna.get_trials() if trial.number == 0]
    assert (shown.state.name, shown.value, shown.user_attrs["state"]) == ("FAIL", None, "failed")
