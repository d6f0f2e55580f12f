"""Imports without packages that could be there."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from search.training.process import without

UNUSED = "colorsys"


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    monkeypatch.delitem(sys.modules, UNUSED, raising=False)


def test_hidden_package_cannot_be_imported_until_the_end():
    with without(UNUSED), pytest.raises(ModuleNotFoundError, match=UNUSED):
        importlib.import_module(UNUSED)

    assert importlib.import_module(UNUSED).rgb_to_hsv


def test_what_has_been_imported_stays():
    with without("json"):
        assert importlib.import_module("json") is json

    assert sys.modules["json"] is json


def test_package_that_nobody_has_is_no_mistake():
    with without("no_such_package"):
        pass

    assert "no_such_package" not in sys.modules


def test_all_can_be_imported_again_after_an_error():
    with pytest.raises(RuntimeError, match="half-way"), without(UNUSED):
        raise RuntimeError("half-way")

    assert importlib.import_module(UNUSED).rgb_to_hsv
