from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from space_examples import said

from search.training.hyperparameters import Hyperparameters
from spaces.catalogue import RULES, Rule
from spaces.reader import read_space_text

DOCS = (Path(__file__).parents[2] / "docs" / "space-files.md").read_text()


def test_catalogue_knows_what_the_trainer_takes():
    assert list(RULES) == [field.name for field in fields(Hyperparameters)]


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.default is not None], ids=lambda rule: rule.name
)
def test_defaults_are_allowed(rule: Rule):
    assert rule.default is not None
    for value in (rule.default, *rule.defaults.values()):
        assert rule.problem(value) is None
        assert rule.normal(value) == value


def test_only_the_architecture_must_be_given():
    assert [rule.name for rule in RULES.values() if rule.default is None] == ["architecture"]


def test_limits_belong_to_the_range_unless_excluded():
    dropout, rate, layers = RULES["dropout"], RULES["learning_rate"], RULES["head_layers"]

    assert (dropout.problem(0), dropout.problem(0.999)) == (None, None)
    assert dropout.problem(1.0) == "must be a number in [0, 1), but got 1.0"
    assert rate.problem(100.0) is None
    assert rate.problem(0.0) == "must be a number in (0, 100], but got 0.0"
    assert (layers.problem(0), layers.problem(3)) == (None, None)
    assert layers.problem(4) == "must be a whole number from 0 to 3, but got 4"


def test_parameters_of_one_architecture_are_none_for_others():
    assert RULES["blocks"].default_for("VGG19") == 5
    assert RULES["blocks"].default_for("DenseNet121") is None
    assert RULES["learning_rate"].default_for("VGG16") == 1e-4
    assert RULES["learning_rate"].default_for("DenseNet121") == 1e-3


def documented(rule: Rule) -> str:
    values = rule.describe() if rule.kind != "choice" else ", ".join(f"`{name}`" for name in rule.allowed)
    if rule.name == "architecture":
        values = "an architecture"
    default = "none: must be given" if rule.default is None else f"`{rule.default}`"
    default += "".join(f"; {name} `{value}`" for name, value in rule.defaults.items())
    return f"| `{rule.name}` | {values} | {default} | {rule.help} |"


def test_documents_list_every_parameter_with_its_default():
    head = "| parameter | values | default | what it is |\n| --- | --- | --- | --- |\n"

    table = DOCS.partition(head)[2].partition("\n\n")[0]

    assert table.split("\n") == [documented(rule) for rule in RULES.values()]


def test_example_in_the_documents_is_good():
    example = re.findall(r"```yaml\n(.*?)```", DOCS, flags=re.DOTALL)[0]

    space = read_space_text(example)

    assert space.study == "my-first"
    assert space.try_first[0].values["blocks"] == 2


def test_messages_in_the_documents_are_the_real_ones():
    search = "search:\n  architecture: {choice: [LeNet5]}\n\n  lerning_rate: {float: [1e-4, 1e-2]}\n"

    first, second = said(f"data: {{source: mnist-5k}}\n{search}\n\n\nbudget: {{time: 8}}\n")

    assert f"mine.yaml:{first.partition('architecture, ')[0]}" in DOCS
    assert second.partition("must be")[2] in DOCS
