"""What only some searches need is looked for before they begin."""

from __future__ import annotations

import importlib.util

import pytest

from search.errors import SearchError
from search.request import Request


def request(sampler: str, workers: str = "auto") -> Request:
    return Request.of(
        space="quick", study=None, data=None, trials=None, timeout=None, workers=workers,
        settings=(f"sampler.name={sampler}",), seed=0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)


def test_gaussian_processes_without_pytorch_are_refused_before_anything_is_written() -> None:
    with pytest.raises(SearchError, match="sampler gp needs PyTorch, which is not installed"):
        request("gp")


def test_study_that_is_only_created_may_have_its_workers_elsewhere() -> None:
    assert request("gp", workers="0").space.sampler.name == "gp"


def test_other_samplers_need_nothing() -> None:
    assert request("tpe").space.sampler.name == "tpe"
