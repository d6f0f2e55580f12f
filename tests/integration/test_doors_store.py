"""What somebody else with the same store could plant there, S5, S9, S10 and S12."""

from __future__ import annotations

import csv
import io
import json
import pickle
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from doors_visits import TOKEN, visit
from optuna.artifacts.exceptions import ArtifactNotFound
from small_study import DATA

from search import main, model
from search.dashboard.app import application
from search.dashboard.artifacts import GuardedArtifacts
from search.dashboard.gate import Door
from search.errors import UsageError
from search.queue import enqueue_point
from search.studies import PassedOver
from search.study import MAX_NOTE, Study, create
from search.trial import Outcome
from search.view.status import views
from search.worker.claim import Claim, Holder, claim
from spaces.reader import read_space_text
from storage.errors import StorageError
from storage.url import StoreUrl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.store import Store

SPACE = """\
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-4, 1e-2], log: true}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 12}
"""
NAME = "\x1b[31mred\nnext: <script>alert(1)</script> =cmd"
PASSWORD = "p{a}%40@:/"
ENCODED = "p%7Ba%7D%2540%40%3A%2F"


class Touch:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def study(store: Store) -> Study:
    return create(store, "doors", read_space_text(SPACE), DATA, seed=0)


@pytest.fixture
def unpickled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was unpickled meanwhile."""
    found: list[str] = []
    is_on = [True]

    def hook(event: str, arguments: Any) -> None:
        if is_on[0] and event == "pickle.find_class":
            found.append(str(arguments))

    sys.addaudithook(hook)  # there is no way to take one out again
    yield found
    is_on[0] = False


def test_s05_traceback_of_a_bug_hides_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    address = f"postgresql://me:{ENCODED}@host/db"
    monkeypatch.setenv("HPSEARCH_STORAGE", address)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    full = StoreUrl.parse(address).full

    assert main._report(RuntimeError(f"{address} {full} {PASSWORD}\x1b[31m")) == 3

    [log] = tmp_path.glob("hpsearch-bug-*.log")
    for text in (log.read_text(), capsys.readouterr().err):
        assert "RuntimeError: postgresql://me:***@host/db" in text
        assert PASSWORD not in text
        assert ENCODED not in text


def test_s09_pickle_planted_in_a_store_never_runs(study: Study, tmp_path: Path, unpickled: list[str]):
    planted = pickle.dumps(Touch(tmp_path / "ran"))
    trial = study.store.optuna.get_trial_id_from_study_id_trial_number(study.id, 0)
    for key in ("cma:optimizer:0", "cma:n_restarts", "cmawm:optimizer:0", "pickle"):
        study.store.optuna.set_study_system_attr(study.id, key, planted.hex())
        study.store.optuna.set_trial_system_attr(trial, key, planted.hex())

    for _ in range(4):
        assert isinstance(claim(Study(study.store, "doors"), Holder(worker="me")), Claim)
    views(study.store, passed_over=PassedOver(print))

    assert not (tmp_path / "ran").exists()
    assert unpickled == []


def test_s10_download_of_the_dashboard_has_no_formulas(store: Store):
    begun = optuna.create_study(storage=store.optuna, study_name="=cmd <script>")
    trial = begun.ask()
    trial.suggest_categorical("=p", ["=cmd|' /C calc'!A0"])
    trial.set_user_attr("@a\nb", "+1+cmd")
    begun.tell(trial, -0.5)

    got = visit(application(store, Door(token=TOKEN)), f"/csv/{begun._study_id}")

    assert got.status == 200
    assert got.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(got.body.decode(), newline=""))) == [
        ["Number", "State", "Value", "Param =p", "UserAttribute @a b"],
        ["0", "COMPLETE", "-0.5", "'=cmd|' /C calc'!A0", "'+1+cmd"],
    ]


def test_s10_name_in_a_store_is_escaped_in_an_error(store: Store):
    optuna.create_study(storage=store.optuna, study_name=NAME)

    command = [sys.executable, "-m", "search", "show", "none", "0", "--storage", store.url.full]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.removesuffix("\n").isprintable()
    assert "red next: <script>" in done.stderr


def test_s10_long_text_is_refused_before_it_is_sent(study: Study):
    with pytest.raises(UsageError, match="--name must be one line of at most 200 characters"):
        enqueue_point(study, ["learning_rate=1e-3"], "x" * (MAX_NOTE + 1))
    with pytest.raises(UsageError, match="--name must be one line of at most 200 characters"):
        enqueue_point(study, ["learning_rate=1e-3"], NAME)
    with pytest.raises(ValueError, match="must have at most 65,536 characters, but story has 65,539"):
        study.note(0, "story", "x" * (MAX_NOTE + 1))

    assert len(study.trials()) == 1
    assert study.trials()[0].story == ""


BAD = ["../../outside", "../outside", "/outside", "a/../../../outside", "link", "folder/outside"]


@pytest.fixture
def root(store: Store, tmp_path: Path) -> Path:
    """The folder of artifacts, with links that lead out of it to a file `outside`."""
    (tmp_path / "outside").write_text("kept")
    (store.files.artifacts / "link").symlink_to(tmp_path / "outside")
    (store.files.artifacts / "folder").symlink_to(tmp_path)
    return store.files.artifacts


@pytest.mark.parametrize("name", BAD)
def test_s12_artifact_name_that_leads_out_is_none(store: Store, root: Path, tmp_path: Path, name: str):
    artifacts = GuardedArtifacts(store.files)
    name = str(tmp_path / "outside") if name == "/outside" else name

    with pytest.raises(ArtifactNotFound):
        artifacts.open_reader(name)
    with pytest.raises(ArtifactNotFound):
        artifacts.write(name, io.BytesIO(b"overwritten"))
    with pytest.raises(ArtifactNotFound):
        artifacts.remove(name)

    assert (tmp_path / "outside").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("out")) == ["outside"]


def test_s12_artifact_planted_in_a_store_reads_and_deletes_nothing(
    store: Store, study: Study, root: Path, tmp_path: Path
):
    link = "00000000-0000-4000-8000-000000000000"
    (root / link).symlink_to(tmp_path / "outside")
    for name in (link, "../../outside"):
        meta = {"artifact_id": name, "filename": "x.txt", "mimetype": "text/plain", "encoding": None}
        store.optuna.set_study_system_attr(study.id, f"artifacts:{name}", json.dumps(meta))
    guarded = application(store, Door(token=TOKEN, allows_changes=True))

    read = visit(guarded, f"/artifacts/{study.id}/{link}")
    visit(guarded, f"/api/artifacts/{study.id}/{link}", "DELETE")
    visit(guarded, f"/api/studies/{study.id}", "DELETE", {})

    assert read.status == 404
    assert b"kept" not in read.body
    assert (tmp_path / "outside").read_text() == "kept"


@pytest.mark.parametrize("weights", ["../../outside", "/outside", "trials/link"])
def test_s12_weights_that_lead_out_are_not_exported(store: Store, study: Study, tmp_path: Path, weights: str):
    (tmp_path / "outside").write_text("kept")
    (store.files.root / "trials").mkdir(parents=True)
    (store.files.root / "trials" / "link").symlink_to(tmp_path / "outside")
    study.note(0, "outcome", asdict(Outcome(reason="finished", why="", weights=weights)))

    with pytest.raises(StorageError, match="a store's files must lie in"):
        model.export(study, 0, tmp_path / "exported", lambda _: None)

    assert not (tmp_path / "exported").exists()
