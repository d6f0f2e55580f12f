"""What the dashboard shows of an ended trial besides numbers, and which weights stay on disk."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import optuna

from search import figures
from search.trial import best_of, leader_of, worth
from search.worker import gallery
from search.worker.folders import remove_all_checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.study import Study
    from search.trial import Outcome, TrialRecord

logger = logging.getLogger(__name__)

N_KEPT = 5
"""Trials of a study whose weights are kept when they have ended: the best so many."""


def complete(study: Study) -> None:
    """Draw what paused trials lack, of a study whose time is up: nobody knows when they go on.

    Each gets its learning curve, and the best of all its confusion matrix.
    """
    if study.state() != "out_of_time":
        return
    trials = study.trials()
    best = best_of(trials, maximize=study.maximizes)
    for trial in trials:
        if trial.state == "paused" and trial.curve:
            # Several workers come here at the same time.
            with _pictures(trial.number) as folder, study.store.lock(f"pictures {study.name}"):
                _complete_one(study, trial, folder, is_best=trial is best)


def _complete_one(study: Study, trial: TrialRecord, folder: Path, *, is_best: bool) -> None:
    if not gallery.has(study, trial.number, _curve_name(trial.number)):
        _attach_curve(study, trial, folder)
    if is_best and trial.outcome and not gallery.has(study, trial.number, _confusion_name(trial.number)):
        _attach_confusion(study, trial.number, trial.outcome, folder)


def attach_if_best(study: Study, number: int, outcome: Outcome, value: float) -> None:
    """Attach the confusion matrix to a trial that pauses, if it is the best so far; see `attach`."""
    if _is_best(study, study.trials(), number, value):
        with _pictures(number) as folder:
            _attach_confusion(study, number, outcome, folder)


def attach(study: Study, number: int, outcome: Outcome, value: float) -> None:
    """Attach note and pictures to a trial that is about to end: Optuna takes none afterwards.

    Args:
        study: the trial's study.
        number: the trial's number.
        outcome: how it ends.
        value: what it is worth; the best so far also gets its confusion matrix, and so does the study.
    """
    trials = study.trials()
    note(study, number, f"**{outcome.reason}**: {outcome.why}")
    with _pictures(number) as folder:
        _attach_curve(study, trials[number], folder)
        if _is_best(study, trials, number, value):
            _attach_confusion(study, number, outcome, folder)


def note(study: Study, number: int, text: str) -> None:
    """Write the note that the dashboard shows on a trial (Markdown); replaces an earlier one."""
    from optuna_dashboard import save_note

    save_note(optuna.Trial(study.optuna, study.trial_id(number)), text)


def clear(study: Study) -> None:
    """Delete the files of ended trials, but for the best: those can still be exported."""
    trials = study.trials()
    ended = sorted(
        (trial for trial in trials if trial.is_accepted), key=lambda trial: -worth(trial, maximize=study.maximizes)
    )
    failed = [trial for trial in trials if trial.state == "failed"]
    for trial in ended[:N_KEPT]:
        remove_all_checkpoints(study.folder(trial.number))
    for trial in (*ended[N_KEPT:], *failed):
        shutil.rmtree(study.folder(trial.number), ignore_errors=True)


@contextmanager
def _pictures(number: int) -> Iterator[Path]:
    """A folder to draw in; a picture less is no reason to lose a result."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except (OSError, ValueError, RuntimeError) as error:  # the last of a trial that has ended meanwhile
        logger.warning("trial %d goes without pictures: %s", number, error)


def _is_best(study: Study, trials: Sequence[TrialRecord], number: int, value: float) -> bool:
    others = [trial for trial in trials if trial.number != number]
    best = leader_of(others, maximize=study.maximizes)
    return best is None or best.value is None or study.better(value, best.value)


def _attach_curve(study: Study, trial: TrialRecord, folder: Path) -> None:
    file = folder / _curve_name(trial.number)
    architecture = trial.params.get("architecture", study.space.fixed.get("architecture", ""))
    title = f"trial {trial.number}" + (f": {architecture}" if architecture else "")
    figures.learning_curve(trial.curve, title, file)
    gallery.hang(study, trial.number, file)


def _curve_name(number: int) -> str:
    return f"trial-{number}-learning-curve.png"


def _confusion_name(number: int) -> str:
    return f"trial-{number}-confusion.png"


def _attach_confusion(study: Study, number: int, outcome: Outcome, folder: Path) -> None:
    from search.training.confusion import Confusion

    if outcome.confusion is None:
        return
    counted = json.loads(study.store.files.path(outcome.confusion).read_text())
    file = folder / _confusion_name(number)
    title = f"trial {number}, epoch {outcome.best_epoch:.4g}: validation part"
    figures.confusion_matrix(Confusion.from_json(counted), counted["classes"], title, file)
    gallery.hang(study, number, file)
    gallery.show_at_study(study, number, file.name)
