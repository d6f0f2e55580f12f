"""What is kept of a trial's vital signs, and how it is shown, on real databases without any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna_dashboard import get_note
from rich.console import Console
from small_study import DATA
from worker_steps import conclude, judged

from search.study import Study, create
from search.training.messages import EpochEnded, Failed, Seconds, TrialEnded, TrialStarted
from search.view.status import show_to_dict
from search.view.tables import trial_screen
from search.worker.claim import Claim, Holder, claim
from search.worker.recording import Recording
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store

SPACE = """\
study: vitals
data: {source: mnist-5k}
search: {learning_rate: {float: [1e-4, 1e-1], log: true}}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 12}
"""
DEAD = "Dead since step 8: the network gives every image the same answer."
SLOW = "Slow, but alive: the answers differ more and more."


def signs(step: int, spread: float = 0.5) -> dict[str, float]:
    values = {"loss": 2.3, "spread": spread, "gradient_first": 1e-4, "gradient_last": 0.2, "update_ratio": 1e-3}
    return {"step": step, **values, "dead_units": 0.25}


@pytest.fixture
def claimed(store: Store) -> tuple[Study, Claim]:
    study = create(store, "vitals", read_space_text(SPACE), DATA, seed=0)
    found = claim(study, Holder(worker="me"))
    assert isinstance(found, Claim)
    return study, found


def epoch(number: int, vitals: list[dict[str, float]], story: str = "") -> EpochEnded:
    metrics = {"val_accuracy": 0.1, "val_loss": 2.3}
    return EpochEnded(
        trial=0, epoch=number, images=number * 3600, metrics=metrics, seconds=Seconds(), vitals=vitals, story=story
    )


def note(study: Study, one: Claim) -> str:
    return str(get_note(optuna.Trial(study.optuna, study.trial_id(one.number))))


def screen(shown: dict[str, Any]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(trial_screen(shown))
    return captured.get()


def test_collapsed_trial_keeps_signs_and_story(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed
    failed = Failed(reason="collapsed", message=DEAD, vitals=[signs(1), signs(8, 8e-9)])

    conclude(study, one, failed, "collapsed")

    shown = show_to_dict(study, one.number)
    assert (shown["state"], shown["reason"], shown["why"]) == ("failed", "collapsed", DEAD)
    assert shown["vitals"] == [signs(1), signs(8, 8e-9)]
    assert note(study, one) == f"**collapsed**: {DEAD}"


def test_collapsed_trial_is_shown_in_words_and_numbers(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed
    failed = Failed(reason="collapsed", message=DEAD, vitals=[signs(1), signs(8, 8e-9)])

    conclude(study, one, failed, "collapsed")

    lines = screen(show_to_dict(study, one.number)).splitlines()
    assert any(line.split(maxsplit=1) == ["why", DEAD] for line in map(str.strip, lines))
    assert "spread between images" in lines[-3]
    assert lines[-1].split() == ["8", "2.3", "8e-09", "0.0001", "0.2", "0.001", "25%"]


def test_running_trial_says_how_it_is(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed

    judged(study, one, epoch(1, [signs(1), signs(100)], SLOW))

    shown = show_to_dict(study, one.number)
    assert (shown["state"], shown["why"]) == ("running", SLOW)
    assert [entry["step"] for entry in shown["vitals"]] == [1, 100]

    judged(study, one, epoch(2, [signs(110), signs(200)]))

    assert show_to_dict(study, one.number)["why"] == ""
    assert [entry["step"] for entry in study.vitals(0)] == [1, 100, 110, 200]


def test_trial_that_goes_on_is_told_of_as_it_is_now(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed
    waits = TrialEnded(
        trial=one.number, ending="paused", images=0, epochs=0, best_epoch=0, best_value=None, best_metrics={},
        parameters=7, seconds=Seconds(), weights="", confusion="",
    )  # fmt: skip
    Recording(study, one.number, one.token).paused(waits, "Waits at 0 images.")
    study.store.ledger.release(one.token, 0)
    assert show_to_dict(study, one.number)["why"] == "Waits at 0 images."

    again = claim(study, Holder(worker="me"))
    assert isinstance(again, Claim)
    recording = Recording(study, again.number, again.token)
    recording.resumed(TrialStarted(trial=again.number, parameters=7, epoch=0))
    recording.write()

    assert show_to_dict(study, again.number)["why"] == ""
    assert note(study, again) == "**Running** again, from epoch 0."
    judged(study, again, epoch(1, [signs(1)], SLOW))
    assert show_to_dict(study, again.number)["why"] == SLOW


def test_ended_trial_has_its_last_story_after_the_reason(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed
    judged(study, one, epoch(1, [signs(1)], SLOW))
    ended = TrialEnded(
        trial=one.number, ending="finished", images=3600, epochs=1, best_epoch=1, best_value=0.1, best_metrics={},
        parameters=7, seconds=Seconds(), weights="", confusion="",
    )  # fmt: skip

    conclude(study, one, ended, "finished", "Trained all 1 epochs.")

    assert show_to_dict(study, one.number)["why"] == f"Trained all 1 epochs. {SLOW}"
    assert note(study, one) == f"**finished**: Trained all 1 epochs. {SLOW}"


def test_steps_that_are_trained_again_replace_their_signs(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed
    judged(study, one, epoch(1, [signs(1), signs(50), signs(100)]))

    judged(study, one, epoch(1, [signs(51, 0.7), signs(100, 0.8)]))

    assert study.vitals(0) == (signs(1), signs(50), signs(51, 0.7), signs(100, 0.8))


def test_signs_of_a_long_trial_stay_few(claimed: tuple[Study, Claim]) -> None:
    study, one = claimed

    for number in range(1, 10):
        judged(study, one, epoch(number, [signs(step) for step in range(number * 400, number * 400 + 400, 10)]))

    kept = [entry["step"] for entry in study.vitals(0)]
    assert len(kept) == 160
    assert (kept[0], kept[-1]) == (400, 3990)
