"""One bad record in a store stops no command, no worker and no dashboard from working with the rest of it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from doors_visits import TOKEN, visit
from small_study import DATA, SPACE

from search.codec import OWN
from search.dashboard.app import application
from search.dashboard.gate import Door
from search.errors import UnreadableStudyError, UsageError
from search.studies import PassedOver
from search.study import Study, create, names
from search.view.status import views
from search.worker import worker
from search.worker.caretaker import Caretaker
from search.worker.claim import Claim, Holder, claim
from search.worker.orders import Orders
from search.worker.spool import Spool
from search.worker.worker import Worker
from spaces.errors import SpaceError
from spaces.reader import read_space, read_space_text

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""What a record means is the same on every database."""

SPACE_OF = json.loads(read_space_text(SPACE).to_json())
BAD = {
    "bad name in the space": ("space", json.dumps({**SPACE_OF, "study": "lenet (1)"})),
    "space of another version": ("space", json.dumps({**SPACE_OF, "later": {"key": 1}})),
    "space that is no JSON": ("space", "{"),
    "data of another version": ("data", {"source": "mnist-5k", "later": 1}),
    "no seed": ("seed", None),
    "settings of another version": ("control", {"trials": 1, "later": 2}),
}


def begun(store: Store, name: str) -> Study:
    return create(store, name, read_space_text(SPACE), DATA, seed=0)


def spoiled(store: Store, name: str, kind: str) -> None:
    """A study with a record that means nothing here; older than any other."""
    study = begun(store, name)
    if kind == "trial of another version":
        study.note(0, "outcome", {"reason": None, "why": "", "later": 1})
    else:
        key, value = BAD[kind]
        store.optuna.set_study_system_attr(study.id, OWN + key, value)


@pytest.fixture(params=[*BAD, "trial of another version"])
def mixed(request: pytest.FixtureRequest, store: Store) -> Store:
    """A store with a study that cannot be read, and a good one."""
    spoiled(store, "bad", request.param)
    begun(store, "good")
    return store


def test_status_names_a_bad_study_once_and_lists_the_others(mixed: Store) -> None:
    said: list[str] = []
    passed_over = PassedOver(said.append)

    for _ in range(2):
        assert [view.name for view in views(mixed, passed_over=passed_over)] == ["good"]

    [sentence] = said
    assert sentence.startswith("passed over: study 'bad' cannot be read (")
    assert "another version of hpsearch wrote it; use that version, or delete it" in sentence
    with pytest.raises(UnreadableStudyError):
        views(mixed, "bad", passed_over=passed_over)


def test_status_command_ends_well(store: Store) -> None:
    spoiled(store, "bad", "bad name in the space")
    begun(store, "good")

    done = command("status", "--format", "json", "--storage", store.url.full)
    assert (done.returncode, [one["study"] for one in json.loads(done.stdout)]) == (0, ["good"])
    assert done.stderr.count("'bad'") == 1
    assert command("status", "bad", "--storage", store.url.full).returncode == 1


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "search", *arguments], capture_output=True, text=True, check=False)


def test_worker_of_all_studies_goes_on_with_the_others(
    mixed: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trained: list[str] = []

    def train(self: Any, study: Study, claimed: Claim) -> None:
        trained.append(study.name)
        mixed.ledger.release(claimed.token, 0)

    monkeypatch.setattr(Worker, "_is_ready_for", lambda self, study: True)
    monkeypatch.setattr(Worker, "_train", train)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.0)
    serving = Worker(mixed, Orders(disk_floor=0))

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            serving._round()

    assert trained == ["good"] * 3
    assert [record.message.count("'bad'") for record in caplog.records] == [1]


def test_worker_that_was_asked_for_a_bad_study_says_so(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "_is_ready_for", lambda self, study: True)

    with pytest.raises(UnreadableStudyError, match="'bad' cannot be read"):
        Worker(mixed, Orders(studies=("bad",), disk_floor=0)).run()


def test_caretaker_finishes_the_results_of_the_others(store: Store) -> None:
    holder = Holder(worker="gone", lease=-1.0)
    bad, good = begun(store, "bad"), begun(store, "good")
    for study in (bad, good):
        claimed = claim(study, holder)
        assert isinstance(claimed, Claim)
        result = {
            "study": study.name, "number": 0, "token": claimed.token, "worker": "gone", "attempt": 1,
            "state": "failed", "value": None, "outcome": {"reason": "crashed", "why": "It crashed."}, "curve": [],
            "vitals": [], "story": "",
        }  # fmt: skip
        assert store.ledger.decide(claimed.token, json.dumps(result))
    store.optuna.set_study_system_attr(bad.id, OWN + "space", "{")

    Caretaker(store, Holder(worker="me"), Spool.of(store.files, "me")).round()

    assert good.trials()[0].state == "failed"


def test_dashboard_shows_the_others(mixed: Store) -> None:
    app = application(mixed, Door(token=TOKEN))

    listed = json.loads(visit(app, "/api/studies").body)["study_summaries"]
    assert {study["study_name"] for study in listed} == {"bad", "good"}
    assert all(visit(app, f"/api/studies/{Study(mixed, 'good').id}").status == 200 for _ in range(2))


def test_nothing_is_written_of_a_study_that_could_not_be_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = read_space_text(SPACE)
    with pytest.raises(UsageError, match="the name of a study must be a name"):
        create(store, "lenet (1)", space, DATA, seed=0)
    monkeypatch.setattr(type(space), "to_json", lambda _: json.dumps({**SPACE_OF, "study": "lenet (1)"}))
    with pytest.raises(SpaceError):
        create(store, "lenet", space, DATA, seed=0)

    assert names(store) == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("lenet (1).yaml", "lenet-1"), ("my space.yaml", "my-space"), ("Größe.yaml", "Größe"), ("(1).yaml", "1"),
        ("★.yaml", "study"), ("-x-.yaml", "x"), (f"{'a' * 150}.yaml", "a" * 100), ("a.b.yaml", "a.b"),
    ],
)  # fmt: skip
def test_file_without_a_study_gives_it_a_name_that_can_be_kept(
    store: Store, tmp_path: Path, file: str, name: str
) -> None:
    (tmp_path / file).write_text(SPACE)
    space = read_space(tmp_path / file)

    assert space.study == name
    assert create(store, space.study, space, DATA, seed=0).space.study == name
