"""Who gets which trial, decided on real databases without any training."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from optuna.trial import TrialState
from worker_steps import conclude, judged

from search.errors import StudyMismatchError, StudyNotFoundError
from search.study import Study, check_same, create
from search.training.messages import DataLoaded, EpochEnded, Failed, Seconds, TrialEnded, TrialStarted
from search.worker.claim import Claim, Holder, claim
from search.worker.closing import end_if_over
from search.worker.judge import Judge
from search.worker.recording import Recording
from search.worker.worker import fairest_first
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store

SPACE = """\
study: claims
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-4, 1e-2], log: true}
  head_width: {int: [64, 512], step: 64}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 12}
pruner: {name: asha, min_images: 3600}
"""
DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=list("0123456789"),
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip
EPOCH = DATA.n_train
ME = Holder(worker="me")


def begun(store: Store, text: str = SPACE, name: str = "claims") -> Study:
    return create(store, name, read_space_text(text), DATA, seed=0)


def train(study: Study, claimed: Claim, *values: float, pace: float = 0.0) -> None:
    """Record epochs as a worker does; those of earlier attempts stay. Rungs are after 1 and 3 of them.

    Only where the pace (seconds an epoch) is known are there bets.
    """
    done = len(study.trials()[claimed.number].curve)
    for epoch, value in enumerate(values, done + 1):
        judged(study, claimed, judgement(claimed, epoch * EPOCH, value, pace=pace))


def judgement(claimed: Claim, images: int, value: float, pace: float = 0.0, **more: float) -> EpochEnded:
    metrics = {"val_accuracy": value, "val_loss": 1 - value, **more}
    epoch = images / EPOCH
    return EpochEnded(
        trial=claimed.number, epoch=epoch, images=images, metrics=metrics, seconds=Seconds(train=pace * epoch)
    )


def ended(study: Study, claimed: Claim, ending: Literal["finished", "paused"] = "finished") -> TrialEnded:
    trial = study.trials()[claimed.number]
    best = max(trial.curve, key=lambda entry: entry["val_accuracy"])
    return TrialEnded(
        trial=claimed.number, ending=ending, images=trial.images, epochs=trial.epochs, best_epoch=best["epoch"],
        best_value=best["val_accuracy"], best_metrics={}, parameters=7, weights="", confusion="",
        seconds=Seconds(train=trial.seconds["train"]),
    )  # fmt: skip


def pause(study: Study, claimed: Claim, *values: float, pace: float = 0.0) -> None:
    """Let it wait after further epochs of these values, or where it stands."""
    train(study, claimed, *values, pace=pace)
    Recording(study, claimed.number).paused(ended(study, claimed, "paused"), "Waits.")
    trial = study.trials()[claimed.number]
    assert study.store.ledger.pause(claimed.token, trial.images, int(trial.epochs), trial.value)


def finish(study: Study, claimed: Claim, *values: float) -> None:
    train(study, claimed, *values)
    assert conclude(study, claimed, ended(study, claimed), "finished", "Trained to the end.")


def lose(store: Store) -> None:
    """Let leases of 0.2 seconds run out, and be doubted; the next claim reaps them."""
    time.sleep(0.4)
    store.ledger.reap()
    time.sleep(0.2)


def taken(study: Study, holder: Holder = ME) -> Claim:
    found = claim(study, holder)
    assert isinstance(found, Claim), found
    return found


def test_first_claims_are_defaults_then_points_of_the_file(store: Store) -> None:
    study = begun(store, SPACE + "try_first:\n  - {name: mine, learning_rate: 5e-3, head_width: 64}\n")

    names = [taken(study).name for _ in range(3)]

    assert names == ["default LeNet5", "mine", None]


def test_claim_is_complete_on_paper(store: Store) -> None:
    study = begun(store)

    first, second = taken(study), taken(study)

    assert first.hyperparameters["architecture"] == "LeNet5"
    assert first.hyperparameters["epochs"] == 9
    assert (first.number, first.attempt, first.resume) == (0, 1, False)
    assert first.seed != second.seed
    assert first.token != second.token


def test_budget_is_exact_over_eight_claimers(store: Store) -> None:
    study = begun(store)
    found: list[Any] = []

    def work(number: int) -> None:
        mine = Study(store, "claims")
        while isinstance(one := claim(mine, Holder(worker=f"w{number}")), Claim):
            found.append(one)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one.number for one in found) == list(range(12))
    assert len({tuple(sorted(one.params.items())) for one in found}) == 12
    assert claim(study, ME) == "wait"  # all of them run


def test_best_third_is_promoted_before_new_trials(store: Store) -> None:
    study = begun(store)
    for value in (0.3, 0.6, 0.5):
        pause(study, taken(study), value)

    promoted = taken(study)

    assert (promoted.number, promoted.resume, promoted.attempt) == (1, True, 1)
    assert taken(study).number == 3  # nobody else has earned it


def test_leader_goes_on_where_most_was_spent_on_others(store: Store) -> None:
    points = "try_first:\n" + "  - {learning_rate: 5e-3, head_width: 64}\n  - {learning_rate: 6e-3, head_width: 64}\n"
    study = begun(store, SPACE.replace("3600", "1000") + points)  # the first rung is within the first epoch
    failed = taken(study)
    crash = Failed(reason="crashed", message="It fell.", seconds=Seconds(train=100.0))
    assert conclude(study, failed, crash, "crashed")

    first = taken(study)
    assert (first.number, first.resume) == (1, False)  # there is nobody to bet on yet
    judged(study, first, judgement(first, 1280, 0.5, pace=1.0, val_images=300))
    pause(study, first)
    again = taken(study)

    assert (again.number, again.resume) == (first.number, True)  # before the second point in the queue
    assert (taken(study).number, taken(study).number) == (2, 3)  # while it runs there is nobody to bet on


def test_judge_lets_the_best_go_on_at_its_rung(store: Store) -> None:
    study = begun(store)
    judge = Judge(study)
    for value in (0.3, 0.6):
        pause(study, taken(study), value)
    good, bad = taken(study), taken(study)

    train(study, good, 0.9)
    train(study, bad, 0.1)

    assert judge.verdict(good.number, EPOCH) == "continue"
    assert judge.verdict(bad.number, EPOCH) == "pause"


@pytest.mark.parametrize(("spent", "expected"), [(9.0, "continue"), (0.0, "pause")])
def test_judge_asks_whether_the_trial_would_be_chosen(store: Store, spent: float, expected: str) -> None:
    study = begun(store, SPACE.replace("3600", "1000"))  # the first rung is within the first epoch
    failed, first = taken(study), taken(study)
    crash = Failed(reason="crashed", message="It fell.", seconds=Seconds(train=spent))
    assert conclude(study, failed, crash, "crashed")

    # Alone at its rung it has earned nothing, but is worth a bet that leaves enough to others.
    judged(study, first, judgement(first, 1280, 0.5, pace=5.0, val_images=300))
    assert Judge(study).verdict(first.number, 1280) == expected

    judged(study, first, judgement(first, EPOCH, 0.6, pace=5.0))
    assert Judge(study).verdict(first.number, EPOCH) == "pause"  # no others were looked at yet


def test_trial_before_its_first_rung_goes_on(store: Store) -> None:
    study = begun(store, SPACE.replace("min_images: 3600", "min_images: 7200"))
    claimed = taken(study)
    assert Judge(study).judge_at[0] == 2 * EPOCH

    verdicts = []
    for value in (0.5, 0.6):
        train(study, claimed, value)
        verdicts.append(Judge(study).verdict(claimed.number, study.trials()[claimed.number].images))

    assert verdicts == ["continue", "pause"]


def test_trial_is_judged_and_pauses_within_its_first_epoch(store: Store) -> None:
    study = begun(store, SPACE.replace("3600", "1000"))
    judge = Judge(study)
    assert judge.judge_at == (1200, 3600, 10_800)
    verdicts = []
    for value in (0.3, 0.6, 0.7):
        claimed = taken(study)
        judged(study, claimed, judgement(claimed, 1280, value, val_images=300))
        verdicts.append(judge.verdict(claimed.number, 1280))

    assert verdicts == ["pause", "pause", "continue"]
    assert store.optuna.get_trial(study.trial_id(0)).intermediate_values == {1280: 0.3}


def test_value_of_a_part_gives_way_to_the_first_of_the_whole(store: Store) -> None:
    study = begun(store, SPACE.replace("3600", "1000"))
    claimed = taken(study)

    judged(study, claimed, judgement(claimed, 1280, 0.9, val_images=300))
    early = study.trials()[claimed.number]
    judged(study, claimed, judgement(claimed, EPOCH, 0.8))
    later = study.trials()[claimed.number]

    assert (early.value, early.val_images) == (0.9, 300)
    assert (later.value, later.val_images) == (0.8, None)


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

    recording = Recording(study, claimed.number)
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


def test_value_is_the_best_epoch(store: Store) -> None:
    study = begun(store)
    claimed = taken(study)

    finish(study, claimed, 0.9, 0.5, 0.1)

    assert study.trials()[0].value == 0.9
    assert study.store.optuna.get_trial(study.trial_id(0)).intermediate_values == {3600: 0.9, 7200: 0.5, 10_800: 0.1}


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_early_stopped_trial_holds_the_others_to_its_best(store: Store, pruner: str) -> None:
    options = ", startup_trials: 1" if pruner == "median" else ""
    study = begun(store, SPACE.replace("name: asha, min_images: 3600", f"name: {pruner}{options}"))
    judge = Judge(study)
    early = taken(study)
    train(study, early, 0.2, 0.9)
    judge.carry(early.number, 2 * EPOCH, 0.9)
    finish(study, early)

    verdicts = []
    for _ in range(2):
        slow = taken(study)
        for epoch in range(1, 9):
            train(study, slow, 0.3)
            verdicts.append((epoch, judge.verdict(slow.number, epoch * EPOCH)))
            if verdicts[-1][1] == "stop":
                break
        finish(study, slow)

    stopped = [epoch for epoch, verdict in verdicts if verdict == "stop"]
    assert stopped
    if pruner == "median":
        assert all(epoch > 1 for epoch in stopped)  # at epoch 1 the early one was worse


def test_f26_study_of_another_space_is_refused(store: Store) -> None:
    study = begun(store)

    with pytest.raises(StudyMismatchError, match=r"searches another space \(it differs in search\)"):
        check_same(study, read_space_text(SPACE.replace("512", "1024")), DATA)
    with pytest.raises(StudyMismatchError, match="was begun on mnist-5k"):
        check_same(study, read_space_text(SPACE), replace(DATA, fingerprint="cd" * 32))
    check_same(study, read_space_text(SPACE.replace("trials: 12", "trials: 99")), DATA)


def test_study_not_of_ours_is_said(store: Store) -> None:
    import optuna

    optuna.create_study(study_name="foreign", storage=store.optuna)

    with pytest.raises(StudyNotFoundError, match="'foreign' was not made by hpsearch"):
        Study(store, "foreign")


def test_deleted_study_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    study = begun(store)
    taken(study)
    store.optuna.delete_study(study.id)

    again = begun(store)

    assert taken(again).number == 0


def test_nothing_begins_that_cannot_reach_a_score_in_time(store: Store) -> None:
    study = begun(store)
    slow = taken(study)
    train(study, slow, 0.5)
    took = replace(ended(study, slow, "paused"), seconds=Seconds(setup=100.0, train=30.0))
    Recording(study, slow.number).paused(took, "Waits.")
    store.ledger.pause(slow.token, 1, 1, 0.5)
    study.set_control(replace(study.control(), deadline=store.now() + 60))

    assert claim(study, ME) == "late"
    assert not end_if_over(study)
    assert study.trials()[0].state == "paused"

    study.set_control(replace(study.control(), deadline=store.now() + 600))
    assert taken(study).number in (0, 1)  # the one that waits, or a new one


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


def test_fairest_study_comes_first(store: Store) -> None:
    busy, served, fresh = (begun(store, name=name) for name in ("busy", "served", "fresh"))
    taken(busy)
    pause(served, taken(served), 0.4)

    assert [study.name for study in fairest_first([busy, served, fresh])] == ["fresh", "served", "busy"]


def test_f31_workers_of_one_seed_try_different_points_and_the_same_again(store: Store) -> None:
    text = SPACE.replace("trials: 12", "trials: 20")
    workers = [Holder(worker=name) for name in ("one", "two")]
    first, again = (begun(store, text, name) for name in ("first", "again"))

    points = [[taken(study, workers[number % 2]).params for number in range(20)] for study in (first, again)]

    assert len({tuple(sorted(point.items())) for point in points[0]}) == 20
    assert points[0] == points[1]


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


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_lock_files_do_not_grow_with_the_trials(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("search.worker.delivery.N_LOCKS", 2)
    study = begun(store)

    for _ in range(5):
        assert conclude(study, taken(study), Failed(reason="crashed", message="It fell."), "crashed")

    assert len(list((tmp_path / "hpsearch.db-locks").glob("tell*"))) == 2


def test_optuna_s_own_heartbeat_is_off(store: Store) -> None:
    assert store.optuna.heartbeat_interval is None
