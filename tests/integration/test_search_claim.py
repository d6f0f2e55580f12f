"""Who gets which trial, decided on real databases without any training."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from claim_steps import EPOCH, ME, SPACE, begun, finish, judgement, pause, taken, train
from small_study import DATA
from worker_steps import conclude, judged

from search.errors import StudyMismatchError, StudyNotFoundError
from search.queue import enqueue_point
from search.sameness import check_same
from search.study import Study
from search.training.messages import Failed, Seconds
from search.worker.claim import Claim, Holder, claim
from search.worker.closing import end_if_over
from search.worker.judge import Judge
from search.worker.scene import Scene
from search.worker.worker import fairest_first
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store


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

    assert (early.score, early.val_images) == (0.9, 300)
    assert early.value == pytest.approx(0.9 - math.sqrt(0.9 * 0.1 / 300))
    assert (later.value, later.val_images) == (0.8, None)


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


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_trial_that_has_not_begun_to_learn_is_not_stopped_for_its_scores(store: Store, pruner: str) -> None:
    options = ", startup_trials: 1" if pruner == "median" else ""
    study = begun(store, SPACE.replace("name: asha, min_images: 3600", f"name: {pruner}{options}"))
    judge = Judge(study)
    for _ in range(4):
        good = taken(study)
        for epoch in range(1, 9):
            train(study, good, 0.9)
            judge.verdict(good.number, epoch * EPOCH, "learning")
        finish(study, good)
    slow = taken(study)

    train(study, slow, *[0.1] * 5)
    assert judge.verdict(slow.number, 5 * EPOCH, "slow_starter") == "continue"

    train(study, slow, 0.1)
    assert judge.verdict(slow.number, 6 * EPOCH, "learning") == "stop"


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


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_lock_files_do_not_grow_with_the_trials(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("search.worker.delivery.N_LOCKS", 2)
    study = begun(store)

    for _ in range(5):
        assert conclude(study, taken(study), Failed(reason="crashed", message="It fell."), "crashed")

    assert len(list((tmp_path / "hpsearch.db-locks").glob("tell*"))) == 2


def test_optuna_s_own_heartbeat_is_off(store: Store) -> None:
    assert store.optuna.heartbeat_interval is None


def test_point_that_somebody_asks_for_goes_before_the_queue(store: Store) -> None:
    study = begun(store, SPACE + "try_first:\n  - {name: mine, learning_rate: 5e-3, head_width: 64}\n")
    enqueue_point(study, ["learning_rate=2e-3"], "now")
    enqueue_point(study, ["learning_rate=3e-3"], "then")

    names = [taken(study).name for _ in range(5)]

    assert names == ["now", "then", "default LeNet5", "mine", None]


def test_trials_that_were_cut_short_hold_no_place_at_later_rungs(store: Store) -> None:
    study = begun(store, SPACE.replace("trials: 12", "trials: 7"))
    for claimed in [taken(study) for _ in range(5)]:
        pause(study, claimed, 0.1 * (1 + claimed.number))
    study.set_control(replace(study.control(), ending="stopping"))
    assert end_if_over(study)

    study.set_control(replace(study.control(), ending=None))
    leaders = [taken(study), taken(study)]
    for leader, value in zip(leaders, (0.8, 0.9), strict=True):
        pause(study, leader, value, value, value)

    scene = Scene(study, study.trials())
    at_three_epochs = [one for one in scene._standings if one.value_at(3 * EPOCH) is not None]
    assert [one.number for one in at_three_epochs] == [leader.number for leader in leaders]
