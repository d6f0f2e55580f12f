"""Who watches over this machine's workers, without any."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from small_study import DATA, SPACE

from search import crew, machine, signals
from search.study import Control, create
from spaces.reader import read_space_text
from storage.errors import StorageError

if TYPE_CHECKING:
    from search.study import Study
    from storage.store import Store


class Workers:
    """Processes that work for three looks, and then have ended, in order or not; `signals` come at the second one."""

    def __init__(self, *, ends_well: bool = True, signals: tuple[int, ...] = ()) -> None:
        self._looks = iter([True] * 3)
        self._ends_well = ends_well
        self._signals = signals
        self.told: list[str] = []

    def is_working(self) -> bool:
        for number in self._signals:
            os.kill(os.getpid(), number)
        self._signals = ()
        return next(self._looks, False)

    def dismiss(self) -> None:
        self.told.append("dismiss")

    def has_served(self) -> bool:
        return self._ends_well

    def kill(self) -> None:
        self.told.append("kill")

    def check(self) -> None:
        pass


@pytest.fixture
def study(store: Store) -> Study:
    found = create(store, "mine", read_space_text(SPACE), DATA, seed=0)
    found.set_control(Control(trials=2, deadline=store.now() + 3600, margin=7.0))
    return found


def watched(study: Study, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> crew.Run:
    monkeypatch.setattr(crew, "Crew", lambda *_: workers)
    monkeypatch.setattr(crew, "LOOK_SECONDS", 0.0)
    request: Any = SimpleNamespace(workers=1, space=study.space)
    return crew.run(study.store, study, request, lambda _line: None)


def test_store_that_is_away_ends_no_watch(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    view, looks = crew.view, []

    def away_at_first(store: Store, name: str) -> Any:
        looks.append(name)
        if len(looks) == 1:
            raise StorageError("the store must answer")
        return view(store, name)

    monkeypatch.setattr(crew, "view", away_at_first)

    run = watched(study, Workers(), monkeypatch)

    assert not run.is_interrupted
    assert run.view.name == "mine"


@pytest.mark.parametrize(
    "numbers", [(signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT,), (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM)]
)
def test_request_to_end_dismisses_the_workers_once(
    study: Study, numbers: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    workers = Workers(signals=numbers)

    run = watched(study, workers, monkeypatch)

    assert run.is_interrupted
    assert workers.told == ["dismiss", "kill"]
    assert study.state() == "open"  # its time is not up
    assert signal.getsignal(signal.SIGTERM) == before


def test_second_request_to_end_waits_for_nothing(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Workers):
        def dismiss(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            super().dismiss()

    monkeypatch.setattr(signals, "SAME_SECONDS", -1.0)
    workers = Slow(signals=(signal.SIGINT,))

    run = watched(study, workers, monkeypatch)

    assert run.is_interrupted
    assert workers.told == ["kill"]


def test_time_is_up_where_workers_left_early(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(study, Workers(), monkeypatch)

    assert study.state() == "out_of_time"


def test_time_is_left_to_others_where_all_workers_failed(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(study, Workers(ends_well=False), monkeypatch)

    assert study.state() == "open"


def test_each_worker_has_a_gpu_of_its_own(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    monkeypatch.setattr(crew, "_started", lambda _command, environment, _log: seen.append(environment))

    crew.Crew(study.store, study.name, "mnist-5k", machine.Shares(workers=3, threads=1))

    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in seen] == ["3", "1", "3"]


def test_workers_without_a_gpu_are_told_of_none(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(crew, "_started", lambda _command, environment, _log: seen.append(environment))

    crew.Crew(study.store, study.name, "mnist-5k", machine.Shares(workers=1, threads=1))

    assert seen[0]["CUDA_VISIBLE_DEVICES"] == ""
