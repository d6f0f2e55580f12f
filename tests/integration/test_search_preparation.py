"""How much time a study has left, on real databases with a clock of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from search.preparation import prepare
from search.request import Request
from search.training.messages import DataLoaded
from search.view.status import view

if TYPE_CHECKING:
    from search.study import Study
    from storage.store import Store

DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=list("0123456789"),
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the store's clock shows; the last entry counts."""
    shown = [1000.0]
    monkeypatch.setattr(type(store), "now", lambda _store: shown[-1])
    return shown


def prepared(store: Store, timeout: str) -> Study:
    request = Request.of(
        space="quick", study=None, data=None, trials=None, timeout=timeout, workers="0", settings=(), seed=0
    )
    return prepare(store, request, DATA, lambda _line: None)


@pytest.mark.parametrize(("timeout", "seconds", "margin"), [("10m", 600.0, 60.0), ("100s", 100.0, 10.0)])
def test_time_left_is_that_to_the_announced_end(
    store: Store, clock: list[float], timeout: str, seconds: float, margin: float
) -> None:
    study = prepared(store, timeout)

    assert view(store, "quick").seconds_left == seconds
    clock.append(1000.0 + seconds - margin)
    assert study.state() == "out_of_time"  # running trials end now, so that they have ended at the announced time


def test_nothing_is_left_once_all_have_ended(store: Store, clock: list[float]) -> None:
    prepared(store, "10m")
    clock.append(1000.0 + 545.0)

    assert view(store, "quick").seconds_left == 0.0


def test_study_without_a_limit_has_no_time_left(store: Store, clock: list[float]) -> None:
    study = prepared(store, "10m")
    study.set_control(replace(study.control(), deadline=None))

    assert view(store, "quick").seconds_left is None
