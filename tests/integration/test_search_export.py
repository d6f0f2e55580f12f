"""Where a model is exported to: checked before anything heavy begins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from worker_steps import conclude, judged

from search import model
from search.errors import SearchError, TrialNotFoundError, UsageError
from search.study import Study, create
from search.training.messages import DataLoaded, EpochEnded, Seconds, TrialEnded
from search.worker.claim import Claim, Holder, claim
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store

SPACE = """\
study: mine
data: {source: mnist-5k}
search: {learning_rate: {float: [1e-4, 1e-1], log: true}}
fixed: {architecture: LeNet5}
"""
DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=["a", "b"],
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip
OWN = {"study": "mine", "trial": 0, "data": {"source": "mnist-5k", "fingerprint": "ab" * 32}}


class KerasWantedError(Exception):
    """Everything has been checked: now it would begin."""


@pytest.fixture(autouse=True)
def _no_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: object) -> NoReturn:
        raise KerasWantedError

    monkeypatch.setattr(model.trainers, "started", begin)


@pytest.fixture
def study(store: Store) -> Study:
    """A study with one trial that has ended and kept its weights."""
    found = create(store, "mine", read_space_text(SPACE), DATA, seed=0)
    claimed = claim(found, Holder(worker="me"))
    assert isinstance(claimed, Claim)
    folder = found.folder(0)
    folder.mkdir(parents=True)
    weights = folder / "best.npz"
    weights.write_bytes(b"w")
    metrics = {"val_accuracy": 0.5, "val_loss": 1.0}
    judged(found, claimed, EpochEnded(trial=0, epoch=1, images=3600, metrics=metrics, seconds=Seconds()))
    ended = TrialEnded(
        trial=0, ending="finished", images=3600, epochs=1, best_epoch=1, best_value=0.5, best_metrics={},
        parameters=7, seconds=Seconds(), weights=str(weights), confusion="",
    )  # fmt: skip
    assert conclude(found, claimed, ended, "finished", "Trained to the end.")
    return found


def folder_with(tmp_path: Path, description: dict[str, Any] | None) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"somebody's")
    if description is not None:
        (folder / "model.json").write_text(json.dumps(description))
    return folder


@pytest.mark.parametrize(
    ("description", "what"),
    [
        ({**OWN, "study": "other", "trial": 4}, "holds a model already: trial 4 of study 'other' on mnist-5k"),
        ({**OWN, "data": {"source": "npz:x", "fingerprint": "cd"}}, "trial 0 of study 'mine' on npz:x"),
        ({"a": 1}, "holds a model that no export has described (model.json)"),
        (None, "holds a model that no export has described (model.json)"),
    ],
    ids=["another study", "of one name on other data", "something else", "bare"],
)
def test_model_of_another_is_left_alone(
    study: Study, tmp_path: Path, description: dict[str, Any] | None, what: str
) -> None:
    folder = folder_with(tmp_path, description)
    said: list[str] = []

    with pytest.raises(SearchError) as refused:
        model.export(study, None, folder, said.append)

    assert refused.value.exit_code == 1
    assert what in str(refused.value)
    assert str(refused.value).endswith("name another folder, or add --force to replace it")
    assert said == []
    assert (folder / "model.keras").read_bytes() == b"somebody's"


def test_model_of_another_is_replaced_when_forced(study: Study, tmp_path: Path) -> None:
    with pytest.raises(KerasWantedError):
        model.export(study, None, folder_with(tmp_path, None), lambda _line: None, is_forced=True)


def test_model_of_the_same_study_is_replaced(study: Study, tmp_path: Path) -> None:
    with pytest.raises(KerasWantedError):
        model.export(study, None, folder_with(tmp_path, OWN), lambda _line: None)


def test_file_is_no_folder_to_export_to(study: Study, tmp_path: Path) -> None:
    (tmp_path / "model").touch()

    with pytest.raises(SearchError, match="is a file; name a folder to export to"):
        model.export(study, None, tmp_path / "model", lambda _line: None)


def test_nothing_is_said_to_begin_before_all_is_checked(study: Study, tmp_path: Path) -> None:
    said: list[str] = []

    with pytest.raises(TrialNotFoundError):
        model.export(study, 77, tmp_path / "model", said.append)
    with pytest.raises(UsageError):
        model.evaluate(tmp_path / "nowhere", None, "test", said.append)

    assert said == []
    assert not (tmp_path / "model").exists()
