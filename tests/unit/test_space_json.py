from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from space_examples import SMALL, contract, plain_spaces

from spaces.errors import SpaceError
from spaces.library import find_space, shipped
from spaces.reader import read_space, read_space_plain, read_space_text
from spaces.space import Budget, Space


@settings(max_examples=200, deadline=None)
@given(plain_spaces())
def test_json_gives_an_equal_space_back(plain: dict[str, object]):
    space = read_space_plain(plain, "random", is_checked=True)

    again = Space.from_json(space.to_json())

    assert again == space
    assert again.to_json() == space.to_json()
    assert again.hash == space.hash


@pytest.mark.parametrize("name", shipped())
def test_json_of_a_shipped_space_gives_it_back(name: str):
    space = read_space(find_space(name))

    assert Space.from_json(space.to_json()) == space


def test_json_is_canonical():
    text = contract().to_json()

    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert '"float":[1e-05,0.01]' in text
    assert text.isascii()


def test_json_does_not_depend_on_how_the_file_is_written():
    plain = SMALL + "budget: {epochs: 50, time: 90m}\nfixed: {patience: 3, momentum: 0.5}\n"
    other = (
        "# the same\nfixed:\n  momentum: 5e-1\n  patience: 3\nbudget: {time: 1h30m}\nstudy: 'space'\n"
        "search:\n  architecture:\n    choice:\n    - LeNet5\n    - VGG16\n  dropout: {float: [0, 0.50]}\n"
        "data: {train_limit: null, source: mnist-5k}\n"
    )

    assert read_space_text(other).to_json() == read_space_text(plain).to_json()


def test_json_of_a_small_space_is_known():
    assert read_space_text(SMALL, "small.yaml").to_json() == (
        '{"budget":{"epochs":50,"time":null,"trials":null},'
        '"data":{"seed":0,"source":"mnist-5k","train_limit":null,"validation":0.1},'
        '"fixed":{},"image":{"size":32},"objective":{"direction":"maximize","metric":"val_accuracy"},'
        '"pruner":{"min_images":1500,"name":"asha","reduction_factor":3},"sampler":{"name":"tpe"},'
        '"search":[{"architecture":{"choice":["LeNet5","VGG16"]}},{"dropout":{"float":[0.0,0.5]}}],'
        '"study":"small","try_first":[]}'
    )


def test_other_text_is_no_space():
    with pytest.raises(SpaceError, match=r"^space: is not JSON: "):
        Space.from_json("{")
    with pytest.raises(SpaceError, match=r"^space: must have keys \(study, data, "):
        Space.from_json("[]")
    with pytest.raises(SpaceError, match=r"^space: search\.dropuot: the trainer has no parameter 'dropuot'"):
        Space.from_json(read_space_text(SMALL).to_json().replace("dropout", "dropuot"))


def test_hash_is_a_sha256_that_other_processes_find_too():
    code = "import sys; from spaces.space import Space; print(Space.from_json(sys.stdin.read()).hash)"
    space = contract()

    done = subprocess.run(
        [sys.executable, "-c", code], input=space.to_json(), capture_output=True, text=True, check=True
    )

    assert len(space.hash) == len(hashlib.sha256().hexdigest())
    assert done.stdout.strip() == space.hash


@pytest.mark.parametrize(
    "change",
    [
        "study=other", "try_first=null", "checkpoint=30s", "budget.trials=3", "budget.time=1h",
        "search.learning_rate.default=1e-2",
        "data.source=idx:/elsewhere",
    ],
)  # fmt: skip
def test_hash_overlooks_where_a_search_begins_and_ends(change: str):
    space = contract()
    changed = space.with_overrides([change])

    assert changed != space
    assert changed.hash == space.hash


@pytest.mark.parametrize(
    "change",
    [
        "data.validation=0.2", "data.train_limit=1000", "data.seed=1", "image.size=48", "objective.metric=accuracy",
        "search.dropout.float=[0, 0.5]", "search.patience.log=false", "search.blocks.int=[4, 5]", "fixed.optimizer=sgd",
        "fixed.schedule=cosine", "budget.epochs=49", "sampler.name=random", "pruner.min_images=300", "pruner.name=none",
    ],
)  # fmt: skip
def test_hash_sees_what_makes_trials_comparable(change: str):
    space = contract()

    assert space.with_overrides([change]).hash != space.hash


def test_space_can_be_replaced_in_part():
    space = replace(contract(), budget=Budget(epochs=3))

    assert Space.from_json(space.to_json()).budget == Budget(epochs=3)
