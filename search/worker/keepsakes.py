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
from optuna.artifacts import FileSystemArtifactStore, upload_artifact

from search import figures
from search.study import best_of
from search.worker.folders import remove_all_checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.study import Study
    from search.trial import Outcome, TrialRecord

logger = logging.getLogger(__name__)

N_KEPT = 5
"""Trials of a study whose weights are kept when they have ended: the best so many."""


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

    save_note(_handle(study, number), text)


def clear(study: Study) -> None:
    """Delete the files of ended trials, but for the best: those can still be exported."""
    trials = study.trials()
    sign = -1.0 if study.maximizes else 1.0
    ended = sorted((trial for trial in trials if trial.is_accepted), key=lambda trial: sign * (trial.value or 0.0))
    failed = [trial for trial in trials if trial.state == "failed"]
    for trial in ended[:N_KEPT]:
        remove_all_checkpoints(study.store.files.trial(study.name, trial.number))
    for trial in (*ended[N_KEPT:], *failed):
        shutil.rmtree(study.store.files.trial(study.name, trial.number), ignore_errors=True)


@contextmanager
def _pictures(number: int) -> Iterator[Path]:
    """A folder to draw in; a picture less is no reason to lose a result."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except (OSError, ValueError) as error:
        logger.warning("trial %d goes without pictures: %s", number, error)


def _is_best(study: Study, trials: Sequence[TrialRecord], number: int, value: float) -> bool:
    others = [trial for trial in trials if trial.number != number]
    best = best_of(others, maximize=study.maximizes)
    return best is None or best.value is None or study.better(value, best.value)


def _attach_curve(study: Study, trial: TrialRecord, folder: Path) -> None:
    file = folder / f"trial-{trial.number}-learning-curve.png"
    architecture = trial.params.get("architecture", study.space.fixed.get("architecture", ""))
    figures.learning_curve(trial.curve, f"trial {trial.number} {architecture}".strip(), file)
    _upload(study, trial.number, file)


def _attach_confusion(study: Study, number: int, outcome: Outcome, folder: Path) -> None:
    if outcome.confusion is None:
        return
    counted = json.loads(study.store.files.path(outcome.confusion).read_text())
    file = folder / f"trial-{number}-epoch-{outcome.best_epoch}-confusion.png"
    title = f"trial {number}, epoch {outcome.best_epoch}: validation part"
    figures.confusion_matrix(counted["counts"], counted["classes"], title, file)
    _upload(study, number, file)
    upload_artifact(artifact_store=_artifacts(study), file_path=str(file), study_or_trial=study.optuna)


def _upload(study: Study, number: int, file: Path) -> None:
    upload_artifact(artifact_store=_artifacts(study), file_path=str(file), study_or_trial=_handle(study, number))


def _artifacts(study: Study) -> FileSystemArtifactStore:
    return FileSystemArtifactStore(study.store.files.artifacts)


def _handle(study: Study, number: int) -> optuna.Trial:
    return optuna.Trial(study.optuna, study.trial_id(number))
