"""Pictures and notes of trials, on real databases without any training."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna_dashboard import get_note

from search.study import Study, create
from search.training.messages import DataLoaded, EpochEnded, Seconds, TrialEnded, TrialStarted
from search.view.status import view
from search.worker import keepsakes
from search.worker.claim import Claim, Holder, claim
from search.worker.recording import Recording
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store

SPACE = """\
study: pictures
data: {source: mnist-5k}
search: {learning_rate: {float: [1e-4, 1e-1], log: true}}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 12}
"""
DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=["a", "b"],
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip


@pytest.fixture
def study(store: Store) -> Study:
    return create(store, "pictures", read_space_text(SPACE), DATA, seed=0)


def taken(study: Study) -> Claim:
    found = claim(study, Holder(worker="me"))
    assert isinstance(found, Claim)
    return found


CELLS = {"cells": [[0, 0, 150], [0, 1, 50], [1, 0, 30], [1, 1, 170]]}
TABLE = {"counts": [[150, 50], [30, 170]]}
"""The same as it was written before."""


def pause(study: Study, claimed: Claim, value: float, counted: dict[str, object] = CELLS) -> None:
    """A further epoch of that value, and then the trial waits; its confusion counts lie where a trainer puts them."""
    recording = Recording(study, claimed.number, claimed.token)
    images = 3600 * (len(study.trials()[claimed.number].curve) + 1)
    metrics = {"accuracy": value, "loss": 1.0, "val_accuracy": value, "val_loss": 1.0}
    epoch = images / 3600
    recording.judged(EpochEnded(trial=claimed.number, epoch=epoch, images=images, metrics=metrics, seconds=Seconds()))
    recording.write()
    folder = study.folder(claimed.number)
    folder.mkdir(parents=True, exist_ok=True)
    confusion = folder / "confusion.json"
    confusion.write_text(json.dumps({**counted, "classes": ["a", "b"]}))
    ended = TrialEnded(
        trial=claimed.number, ending="paused", images=images, epochs=epoch, best_epoch=epoch, best_value=value,
        best_metrics={}, parameters=7, seconds=Seconds(), weights="", confusion=str(confusion),
    )  # fmt: skip
    recording.paused(ended, "Waits for others.")
    assert study.store.ledger.pause(claimed.token, images, int(epoch))


def time_is_up(study: Study) -> None:
    study.set_control(replace(study.control(), deadline=study.store.now() - 1))


def pictures(study: Study, number: int | None = None) -> list[str]:
    """File names of a trial's pictures, or of the study's."""
    owner = study.optuna if number is None else optuna.Trial(study.optuna, study.trial_id(number))
    return sorted(meta.filename for meta in get_all_artifact_meta(owner))


def stored(study: Study) -> int:
    """How many files the pictures take on the disk."""
    return len({file.stat().st_ino for file in study.store.files.artifacts.iterdir()})


def note(study: Study, number: int) -> str:
    return str(get_note(optuna.Trial(study.optuna, study.trial_id(number))))


def test_trials_that_wait_have_their_pictures_when_time_is_up(study: Study) -> None:
    for value in (0.5, 0.7, 0.6):
        pause(study, taken(study), value)
    time_is_up(study)

    keepsakes.complete(study)

    curves = [[name for name in pictures(study, number) if "learning-curve" in name] for number in range(3)]
    assert curves == [[f"trial-{number}-learning-curve.png"] for number in range(3)]
    assert "trial-1-confusion.png" in pictures(study, 1)
    assert pictures(study) == ["trial-1-confusion.png"]


def test_nothing_is_drawn_twice(study: Study) -> None:
    pause(study, taken(study), 0.5)
    time_is_up(study)
    keepsakes.complete(study)
    files = {file.name: file.stat().st_mtime_ns for file in study.store.files.artifacts.iterdir()}

    keepsakes.complete(study)

    assert {file.name: file.stat().st_mtime_ns for file in study.store.files.artifacts.iterdir()} == files
    assert stored(study) == 2  # a curve and a matrix; the study shows the trial's own


def test_matrix_of_a_trial_that_an_earlier_version_trained(study: Study) -> None:
    pause(study, taken(study), 0.5, TABLE)

    assert pictures(study, 0) == ["trial-0-confusion.png"]


def test_open_study_draws_nothing_yet(study: Study) -> None:
    pause(study, taken(study), 0.5)

    keepsakes.complete(study)

    assert pictures(study, 0) == ["trial-0-confusion.png"]


def test_study_shows_the_best_matrix_alone(study: Study) -> None:
    for value in (0.5, 0.7):
        pause(study, taken(study), value)

    assert pictures(study) == ["trial-1-confusion.png"]
    assert pictures(study, 0) == ["trial-0-confusion.png"]  # it was the best once
    assert stored(study) == 2


def test_best_is_the_same_while_it_is_trained_on(study: Study) -> None:
    leader, other = taken(study), taken(study)
    pause(study, leader, 0.8)
    assert study.store.ledger.resume(study.name, leader.number, "me", 60.0)

    pause(study, other, 0.6)

    assert pictures(study) == ["trial-0-confusion.png"]
    shown = view(study.store, study.name).to_dict()["best"]
    assert (shown["trial"], shown["value"]) == (leader.number, 0.8)
    best = study.best()
    assert best is not None
    assert best.number == other.number  # whose weights stay as they are


def test_better_matrix_replaces_that_of_the_same_trial(study: Study) -> None:
    claimed = taken(study)
    pause(study, claimed, 0.5)
    old = [file.stat().st_ino for file in study.store.files.artifacts.iterdir()]
    holding = study.store.ledger.resume(study.name, claimed.number, "me", 60.0)
    assert holding is not None
    assert holding.token is not None

    pause(study, replace(claimed, token=holding.token, resume=True), 0.6)

    assert pictures(study) == pictures(study, 0) == ["trial-0-confusion.png"]
    assert stored(study) == 1
    assert not any(file.stat().st_ino in old for file in study.store.files.artifacts.iterdir())


def test_notes_say_that_a_trial_waits_and_that_it_goes_on(study: Study) -> None:
    claimed = taken(study)
    pause(study, claimed, 0.5)
    assert note(study, 0) == "**Paused.** Waits for others."

    holding = study.store.ledger.resume(study.name, claimed.number, "me", 60.0)
    going_on = Recording(study, claimed.number, holding.token)
    going_on.resumed(TrialStarted(trial=0, parameters=7, epoch=1.0, curve=[]))
    going_on.write()
    assert note(study, 0) == "**Running** again, from epoch 1."

    going_on.handed_back("Given back after 1 epoch, before more was trained.")
    assert note(study, 0) == "**Paused.** Given back after 1 epoch, before more was trained."
