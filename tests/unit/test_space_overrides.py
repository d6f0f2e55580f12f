# ruff: noqa: E501  a row is a setting and the whole message
from __future__ import annotations

import pytest
from space_examples import contract

from spaces.errors import SpaceError
from spaces.overrides import parse_setting
from spaces.space import Budget, Parameter


def refused(*settings: str) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        contract().with_overrides(settings)
    return str(caught.value).split("\n")


def test_settings_change_single_keys():
    space = contract().with_overrides(
        [
            "budget.epochs=9",
            "budget.trials=null",
            "search.dropout.float=[0, 0.3]",
            "fixed.optimizer=sgd",
            "fixed.momentum=0.95",
            "data.source=mnist-5k",
        ]
    )

    assert space.budget == Budget(epochs=9, trials=None, time=8 * 3600.0)
    assert space.search[3] == Parameter(name="dropout", kind="float", low=0.0, high=0.3)
    assert space.fixed == {"optimizer": "sgd", "momentum": 0.95}
    assert space.data.source == "mnist-5k"
    assert space.try_first == contract().try_first


def test_search_keeps_its_order():
    names = [parameter.name for parameter in contract().search]

    space = contract().with_overrides(["search.dropout.float=[0, 0.3]"])

    assert [parameter.name for parameter in space.search] == names


def test_no_setting_changes_nothing():
    assert contract().with_overrides([]) == contract()


def test_parameter_moves_from_search_to_fixed():
    settings = ["search.dropout=null", "fixed.dropout=0.2", "try_first=null"]

    space = contract().with_overrides(settings)

    assert "dropout" not in [parameter.name for parameter in space.search]
    assert space.complete(space.default_points()[0].values)["dropout"] == 0.2


def test_whole_parameter_is_set_as_yaml():
    space = contract().with_overrides(["search.weight_decay={choice: [0, 1e-4]}", "try_first=null"])

    assert space.search[-1] == Parameter(name="weight_decay", kind="choice", choices=(0.0, 1e-4))


def test_other_pruner_takes_its_own_options():
    assert contract().with_overrides(["pruner.name=median"]).pruner.name == "median"
    both = contract().with_overrides(["pruner.name=hyperband", "pruner.min_epochs=2"]).pruner
    assert (both.name, both.min_epochs) == ("hyperband", 2)


@pytest.mark.parametrize(
    ("setting", "messages"),
    [
        ("budget.epochs", ["--set: a setting is KEY=VALUE, such as budget.epochs=3 or search.dropout.float=[0, 0.3], but got 'budget.epochs'"]),
        ("=3", ["--set: a setting is KEY=VALUE, such as budget.epochs=3 or search.dropout.float=[0, 0.3], but got '=3'"]),
        ("a..b=3", ["--set: a setting is KEY=VALUE, such as budget.epochs=3 or search.dropout.float=[0, 0.3], but got 'a..b=3'"]),
        ("budget.epochs=many", ["--set: budget.epochs: must be a whole number from 1 to 100000, but got 'many'"]),
        ("buget.epochs=3", ["--set: buget: there is no key 'buget' here; did you mean budget? Allowed: study, data, image, objective, search, fixed, try_first, budget, sampler, pruner, checkpoint, builders"]),
        ("study.name=x", ["--set: study: has no keys to set: give its whole value, study=…"]),
        ("fixed.dropout=0.2", ["--set: fixed.dropout: is searched as well: leave it out of `fixed` or of `search`"]),
        ("search.dropout.float=[0.1, 0.3]", ["--set: try_first[0].dropout: must lie in 0.1 … 0.3, but got 0.0"]),
        ("search=null", ["--set: search: is missing: it names the parameters to search"]),
        ("budget.epochs=[3", ["--set budget.epochs:1:3: is not YAML: while parsing a flow sequence: expected ',' or ']', but got '<stream end>'"]),
        ("study=!!python/name:os.system x", ["--set study:1:1: tags are not allowed, but got 'tag:yaml.org,2002:python/name:os.system': write the plain value"]),
    ],
)  # fmt: skip
def test_bad_setting_is_told(setting: str, messages: list[str]):
    assert refused(setting) == messages


def test_all_bad_settings_are_told_at_once():
    assert refused("budget.trials=0", "sampler.name=tep") == [
        "--set: budget.trials: must be a whole number from 1 to 1000000000, but got 0",
        "--set: sampler.name: must be one of: tpe, random, gp, grid; but got 'tep'; did you mean tpe?",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=1e-3", 0.001), ("a=3", 3), ("a=VGG16", "VGG16"), ("a='3'", "3"), ("a=[1, {b: c}]", [1, {"b": "c"}]), ("a=", None), ("a=x=y", "x=y")],
)  # fmt: skip
def test_value_of_a_setting_is_yaml(text: str, value: object):
    assert parse_setting(text) == ("a", value)
