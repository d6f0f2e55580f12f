"""A trial's model as files of its own: export it, and measure it on data."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from search import machine
from search.errors import SearchError, TrialNotFoundError, UsageError
from search.sameness import check_data
from search.study import load_command
from search.training.data.sources import absolute_source
from search.training.messages import DataLoaded, Evaluate, Evaluated, Export, Exported, Failed, LoadData
from search.view.status import find_trial
from search.worker import trainer as trainers

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.study import Study
    from search.training.messages import Command
    from search.trial import TrialRecord
    from search.worker.trainer import Trainer

SECONDS = 3600.0  # a large test part on a slow machine
DESCRIPTION = "model.json"

Split = Literal["train", "validation", "test"]

_Answer = TypeVar("_Answer")


def export(
    study: Study,
    number: int | None,
    folder: Path,
    say: Callable[[str], None],
    *,
    source: str | None = None,
    is_forced: bool = False,
) -> dict[str, Any]:
    """Write `model.keras` and `model.json` of a trial, the best one by default.

    The model takes raw images (0 to 255, the data's own shape) and gives a probability a class.
    It is loaded again and compared before this returns; `model.json` appears last, so that a
    folder with one is whole.

    Args:
        study: the trial's study.
        number: the trial's number; None for the best.
        folder: to write to; made where it is missing.
        say: told, in a line, what takes time.
        source: where the study's data are, if not where the study says.
        is_forced: replace a model that is not this study's.

    Returns:
        What `model.json` holds.

    Raises:
        TrialNotFoundError: if there is no such trial, it has no weights yet, or they are gone.
        SearchError: if the folder is a file or holds a model that is not this study's, or if the
            model read back predicts something else.
    """
    trial = _chosen(study, number, say)
    weights = _weights(study, trial)
    if not is_forced:
        _check_free(folder, study)
    _make(folder)
    say("rebuilding the model (importing Keras takes some seconds) …")
    hyperparameters = study.space.complete(trial.params)
    command = Export(
        hyperparameters=hyperparameters,
        weights=str(weights.absolute()),
        folder=str(folder.absolute()),
        builders=study.space.builders,
    )
    place = absolute_source(source, Path.cwd()) if source else study.space.data.source
    exported = _exported(study, command, place)
    description = _description(study, trial, hyperparameters, exported, place)
    _write_json(folder / DESCRIPTION, description)
    return description


def _exported(study: Study, command: Export, source: str) -> Exported:
    """Write the model; predictions are compared on the study's own data, which are at `source`."""
    with trainers.started(machine.cores(), study.store.files.logs / "export.log") as trainer:
        loaded = _answer(trainer, load_command(study, source), DataLoaded)
        check_data(study, loaded, "name the place of the study's own with --data")
        return _answer(trainer, command, Exported)


def evaluate(folder: Path, source: str | None, split: Split, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure an exported model on a part of a data source; returns what `hpsearch evaluate` prints.

    Args:
        folder: that `export` wrote.
        source: where the data is; None for what the model was trained on.
        split: the part.
        say: told, in a line, what takes time.

    Raises:
        UsageError: if the folder holds no exported model.
        SearchError: if the data cannot be read or does not fit the model.
    """
    description = _read_description(folder)
    data = description["data"]
    say("loading model and data (importing Keras takes some seconds) …")
    with (
        tempfile.TemporaryDirectory() as logs,
        trainers.started(machine.cores(), Path(logs) / "log") as trainer,
    ):
        load = LoadData(
            source=source or data["source"], validation=data["validation"],
            train_limit=data["train_limit"], seed=data["seed"],
        )  # fmt: skip
        loaded = _answer(trainer, load, DataLoaded)
        if loaded.classes != data["classes"]:
            raise SearchError(
                f"the model knows {len(data['classes'])} classes ({_some(data['classes'])}), "
                f"but {loaded.source} has {len(loaded.classes)} ({_some(loaded.classes)})"
            )
        command = Evaluate(folder=str(folder.absolute()), split=split, builders=description["builders"])
        return _answer(trainer, command, Evaluated).report


def _chosen(study: Study, number: int | None, say: Callable[[str], None]) -> TrialRecord:
    if number is not None:
        return find_trial(study.name, study.trials(), number)
    best, leader = study.best(), study.leader()
    if best is None:
        raise TrialNotFoundError(f"study {study.name!r} has no trial with a value to export yet")
    if leader is not None and leader.number != best.number:
        say(
            f"trial {leader.number} is better ({leader.value:.4f}), but is being trained, and its weights change: "
            f"exporting trial {best.number} ({best.value:.4f})"
        )
    return best


def _check_free(folder: Path, study: Study) -> None:
    """Refuse a folder with a model that is not an earlier export of the same study."""
    if not any((folder / name).exists() for name in ("model.keras", DESCRIPTION)):
        return
    cure = "name another folder, or add --force to replace it"
    try:
        found = json.loads((folder / DESCRIPTION).read_text())
        owner, fingerprint = found["study"], found["data"]["fingerprint"]
        what = f"trial {found['trial']} of study {owner!r} on {found['data']['source']}"
    except (OSError, ValueError, KeyError, TypeError):
        raise SearchError(f"{folder} holds a model that no export has described ({DESCRIPTION}); {cure}") from None
    if (owner, fingerprint) != (study.name, study.data.fingerprint):
        raise SearchError(f"{folder} holds a model already: {what}; {cure}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise SearchError(f"{folder} is a file; name a folder to export to") from None


def _weights(study: Study, trial: TrialRecord) -> Path:
    kept = trial.outcome.weights if trial.outcome else None
    if kept is None:
        raise TrialNotFoundError(f"trial {trial.number} of {study.name!r} has no weights: it is {trial.state}")
    path = study.store.files.path(kept)
    if not path.exists():
        raise TrialNotFoundError(
            f"the weights of trial {trial.number} are not in {path.parent}: only the best few ended trials keep "
            "theirs, on the machine (or shared folder) where they were trained; "
            f"`hpsearch enqueue {study.name} …` trains a point again"
        )
    return path


def _description(
    study: Study, trial: TrialRecord, hyperparameters: dict[str, Any], exported: Exported, source: str
) -> dict[str, Any]:
    outcome = trial.outcome
    assert outcome is not None
    part = study.space.data
    return {
        "study": study.name,
        "trial": trial.number,
        "value": trial.value,
        "val_images": trial.val_images or study.data.n_validation,
        "metrics": outcome.best_metrics,
        "best_epoch": outcome.best_epoch,
        "epochs": outcome.epochs,
        "params": trial.params,
        "hyperparameters": hyperparameters,
        "seed": trial.seed,
        "parameters": exported.parameters,
        "data": {
            **asdict(study.data),
            "source": source,
            "validation": part.validation,
            "train_limit": part.train_limit,
            "seed": part.seed,
        },
        "builders": study.space.builders,
        "versions": _versions(),
        "file": "model.keras",
        "sha256": exported.sha256,
        "largest_difference": exported.largest_difference,
    }


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    packages = ("hpsearch", "keras", "tensorflow", "optuna", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def _answer(trainer: Trainer, command: Command, kind: type[_Answer]) -> _Answer:
    answer = trainer.request(command, SECONDS)
    if isinstance(answer, Failed):
        raise SearchError(answer.message)
    assert isinstance(answer, kind)
    return answer


def _read_description(folder: Path) -> dict[str, Any]:
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise UsageError(
            f"{folder} holds no exported model (no readable model.json); `hpsearch export STUDY -o {folder}` makes one"
        ) from error
    return description


def _write_json(file: Path, data: dict[str, Any]) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(data, indent=2) + "\n")
    temporary.replace(file)


def _some(classes: list[str]) -> str:
    return ", ".join(classes[:5]) + (", …" if len(classes) > 5 else "")
