from __future__ import annotations

import json

import pytest

from search.training.vitals.signs import Signs

VALUES = {
    "step": 7,
    "loss": 3.85,
    "spread": 3e-5,
    "gradient_first": 1e-4,
    "gradient_last": 0.5,
    "update_ratio": 1e-3,
    "dead_units": 0.25,
}


def test_signs_go_to_json_and_back():
    signs = Signs.from_dict(VALUES)

    assert json.loads(json.dumps(signs.to_dict())) == VALUES
    assert Signs.from_dict(signs.to_dict()) == signs


def test_signs_leave_other_names_alone():
    assert Signs.from_dict({**VALUES, "accuracy": 0.5}) == Signs.from_dict(VALUES)


def test_signs_miss_none():
    with pytest.raises(KeyError, match="spread"):
        Signs.from_dict({name: value for name, value in VALUES.items() if name != "spread"})
