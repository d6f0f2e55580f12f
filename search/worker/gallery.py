"""The pictures that the dashboard shows with trials and studies: one of each name, and each stored once.

Optuna cannot take an artifact back: what stands in its place (a null, in optuna-dashboard) breaks
`optuna.artifacts.get_all_artifact_meta`. So a newer picture takes the place of the older one.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from search.study import Study

_PREFIX = "artifacts:"
"""Begins the system attribute that Optuna describes an artifact in."""


def has(study: Study, number: int, name: str) -> bool:
    """Whether a trial has a picture of that file name."""
    return _of_trial(study, number, name) is not None


def hang(study: Study, number: int, file: Path) -> None:
    """Attach a picture to a trial, which must not have ended; one of the same file name is replaced."""
    before = _of_trial(study, number, file.name)
    artifact_id = before["artifact_id"] if before else str(uuid.uuid4())
    target = study.store.files.artifacts / artifact_id
    _replace(file, target)
    if before is None and not study.store.records.annotate(study.name, number, _description(artifact_id, file)):
        target.unlink()


def _description(artifact_id: str, file: Path) -> dict[str, str]:
    """The system attribute that `optuna.artifacts.upload_artifact` would write for a PNG."""
    described = {"artifact_id": artifact_id, "filename": file.name, "mimetype": "image/png", "encoding": None}
    return {_PREFIX + artifact_id: json.dumps(described)}


def show_at_study(study: Study, number: int, name: str) -> None:
    """Let the study show a trial's picture in place of the one that it showed before."""
    shown = _of_trial(study, number, name)
    if shown is None:
        return
    optuna_store, folder = study.store.optuna, study.store.files.artifacts
    before = next(iter(_described(optuna_store.get_study_system_attrs(study.id))), None)
    own_id = before["artifact_id"] if before else str(uuid.uuid4())
    _replace(folder / shown["artifact_id"], folder / own_id)
    description = json.dumps({**shown, "artifact_id": own_id})
    optuna_store.set_study_system_attr(study.id, _PREFIX + own_id, description)


def _of_trial(study: Study, number: int, name: str) -> dict[str, Any] | None:
    found = _described(study.store.optuna.get_trial(study.trial_id(number)).system_attrs)
    return next((described for described in found if described["filename"] == name), None)


def _described(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [json.loads(value) for key, value in attributes.items() if key.startswith(_PREFIX)]
    return [described for described in found if described]  # none is left of one that a person has deleted


def _replace(file: Path, target: Path) -> None:
    """Make `target` the same file; a second name of it where they share a disk that knows such."""
    if target.exists() and target.samefile(file):
        return
    temporary = target.with_name(f"{target.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        os.link(file, temporary)
    except OSError:
        shutil.copyfile(file, temporary)
    temporary.replace(target)
