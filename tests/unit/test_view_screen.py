"""The screen of one study, as a terminal shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from search.trial import TrialRecord
from search.view.plain import plain
from search.view.status import StudyView
from search.view.tables import best_screen, counted, study_screen, trial_screen

PARAMS = {"architecture": "DenseNet121", "head_width": 512, "batch_size": 256, "learning_rate": 1e-3, "patience": 10}


def study_of(n_trials: int) -> StudyView:
    trials = [
        TrialRecord(number=number, state="complete", params=PARAMS, value=number / 100, name="of the diary")
        for number in range(n_trials)
    ]
    return StudyView(
        name="head-shrink", state="open", trials=tuple(trials), best=trials[-1], workers=(), seconds_left=None,
        budget=60, metric="val_accuracy", maximizes=True,
    )  # fmt: skip


def lines(view: StudyView, width: int, height: int | None) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(study_screen(view, height))
    return captured.get().splitlines()


@pytest.mark.parametrize("height", [12, 24, 50])
def test_screen_fits_its_terminal_and_ends_with_the_best(height: int) -> None:
    shown = lines(study_of(60), 80, height)

    assert len(shown) < height
    n_rows = sum("complete" in line for line in shown)
    assert shown[-1].strip() == f"best: trial 59, 0.5900   ({60 - n_rows} more trials not shown)"


def test_best_that_is_trained_on_stays_the_best() -> None:
    view = study_of(3)
    running = replace(view.trials[0], state="running", value=0.8)

    shown = lines(replace(view, trials=(running, *view.trials[1:]), best=running), 120, 24)

    assert shown[-1].strip() == "best: trial 0, 0.8000, still running"
    assert [line.split()[0] for line in shown if "←" in line] == ["0"]


def test_one_worker_is_one_worker() -> None:
    assert (counted(0, "worker"), counted(1, "worker"), counted(2, "worker")) == ("0 workers", "1 worker", "2 workers")
    assert "2 trials begun · 0 workers" in lines(replace(study_of(2), budget=None), 120, 24)[0]


def test_best_is_rounded_as_everywhere() -> None:
    best = {
        "study": "head-shrink", "trial": 3, "state": "complete", "value": 0.365, "score": 0.365, "val_images": 400,
        "params": PARAMS, "epochs": 1, "parameters": 3758794, "seconds": 28.811324632999458,
    }  # fmt: skip

    shown = " ".join(plain(best_screen(best)).split())

    assert "value 0.3650 on 400 validation images" in shown
    assert "trained 1 epoch in 28s model 3,758,794 parameters" in shown
    shown = " ".join(plain(best_screen({**best, "state": "running", "value": 0.341, "parameters": 0})).split())
    assert "trial 3 (it is being trained, and may get better)" in shown
    assert "value 0.3410 (0.3650 on 400 validation images, less a standard error)" in shown
    assert "model size not known yet" in shown


@pytest.mark.parametrize(
    ("total", "said"), [(0.0, "known after its first judgement"), (2.0, "setup 1.5 s, total 2.0 s")]
)
def test_seconds_are_told_once_they_are_known(total: float, said: str) -> None:
    shown = {
        "study": "head-shrink", "trial": 3, "state": "running", "reason": None, "why": "", "value": None,
        "params": PARAMS, "curve": [], "vitals": [], "seconds": {"setup": total and 1.5, "total": total},
        "log": "", "attempts": 1, "worker": "me", "seed": 7,
    }  # fmt: skip

    [line] = [line for line in plain(trial_screen(shown)).splitlines() if line.startswith("time")]

    assert line.split(maxsplit=1)[1] == said


def test_failed_trial_is_shown_with_the_last_lines_of_its_log() -> None:
    log = "\n".join(f"line {n}" for n in range(100)) + "\nValueError: it fell \x1b[31m\n"
    shown = {
        "study": "head-shrink", "trial": 3, "state": "failed", "reason": "crashed", "why": "It fell.", "value": None,
        "params": PARAMS, "curve": [], "vitals": [], "seconds": {"total": 2.0}, "log": log, "attempts": 1,
        "worker": "me", "seed": 7,
    }  # fmt: skip

    told = plain(trial_screen(shown)).splitlines()

    assert told[-1] == "ValueError: it fell  [31m"
    assert told[-31:-29] == ["the trainer's last lines", "line 71"]


def test_plain_listing_ends_no_line_with_blanks() -> None:
    listing = plain(study_screen(study_of(3)))

    assert "complete" in listing
    assert not any(line.endswith(" ") for line in listing.splitlines())


def test_listing_cuts_nothing() -> None:
    shown = lines(study_of(2), 80, None)

    assert sum("patience 10" in " ".join(line.split()) for line in shown) == 2
    assert shown[-1].strip() == "best: trial 1, 0.0100"
