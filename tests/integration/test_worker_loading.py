"""What a worker does with a trainer that dies while no trial runs, and with data that are not here."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from small_study import DATA, SPACE

from search.errors import SearchError
from search.study import Study, create
from search.training.messages import Failed, LoadData
from search.worker import trainer, worker
from search.worker.orders import Orders
from search.worker.trainer import TrainerDiedError
from search.worker.worker import Worker
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.store import Store


class Loader:
    """A trainer that only loads data: what `answers` has for it, the next entry each time."""

    def __init__(self, answers: list[Any]) -> None:
        self._answers = answers
        self.lives = True

    def request(self, command: LoadData, timeout: float, is_unwanted: Callable[[], bool]) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            self.lives = False
            raise answer
        return answer

    def is_alive(self) -> bool:
        return self.lives

    def kill(self) -> None:
        self.lives = False


@pytest.fixture
def answers() -> list[Any]:
    """What the trainers of a test answer."""
    return []


@pytest.fixture
def loaders(answers: list[Any], monkeypatch: pytest.MonkeyPatch) -> list[Loader]:
    """Those that the worker has started."""
    started: list[Loader] = []

    def start(threads: int, log: Any, is_unwanted: Callable[[], bool]) -> Loader:
        started.append(Loader(answers))
        return started[-1]

    monkeypatch.setattr(trainer, "started", start)
    monkeypatch.setattr(worker, "WAIT_SECONDS", 0.0)
    return started


def death() -> TrainerDiedError:
    return TrainerDiedError(-signal.SIGKILL, "")


def begun(store: Store) -> Study:
    return create(store, "mine", read_space_text(SPACE), DATA, seed=0)


def test_trainer_that_dies_while_it_loads_is_replaced(store: Store, answers: list[Any], loaders: list[Loader]) -> None:
    study = begun(store)
    serving = Worker(store, Orders(studies=("mine",)))
    answers += [death(), death(), DATA]

    assert [serving._is_ready_for(study) for _ in range(3)] == [False, False, True]

    assert [loader.lives for loader in loaders] == [False, False, True]


def test_study_whose_data_no_trainer_can_load_is_left_alone(
    store: Store, answers: list[Any], loaders: list[Loader]
) -> None:
    study = begun(store)
    answers += [death() for _ in range(6)]
    general, only = Worker(store, Orders()), Worker(store, Orders(studies=("mine",)))

    assert [general._is_ready_for(study) for _ in range(3)] == [False] * 3
    assert general._open_studies() == []

    assert [only._is_ready_for(study) for _ in range(2)] == [False] * 2
    with pytest.raises(SearchError, match="the trainer was killed by SIGKILL"):
        only._is_ready_for(study)


def test_data_that_are_not_here_are_refused_at_once(store: Store, answers: list[Any], loaders: list[Loader]) -> None:
    study = begun(store)
    answers += [Failed(reason="bad_data", message="There is no such file.")]
    general = Worker(store, Orders())

    assert not general._is_ready_for(study)

    assert general._open_studies() == []
    assert loaders[0].lives


def test_trainer_that_died_since_its_last_trial_is_replaced_before_the_next(
    store: Store, answers: list[Any], loaders: list[Loader]
) -> None:
    study = begun(store)
    serving = Worker(store, Orders())
    answers += [DATA, DATA]
    assert serving._is_ready_for(study)

    loaders[0].lives = False

    assert serving._is_ready_for(study)
    assert [loader.lives for loader in loaders] == [False, True]
