# ruff: noqa: E501  a row is a line of a file and the whole message
from __future__ import annotations

import pytest
from space_examples import said, searching

from spaces.reader import read_space_text
from spaces.space import Condition

CHAIN = (
    "optimizer: {choice: [adam, sgd], when: {head_layers: [2]}}",
    "momentum: {float: [0.1, 0.9], when: {optimizer: sgd}}",
    "head_layers: {int: [0, 2], when: {architecture: [VGG16]}}",
)


def asked(text: str, **values: object) -> list[str]:
    return [parameter.name for parameter in read_space_text(text).active(values)]


def test_condition_on_a_condition_is_asked_in_steps():
    text = searching(*CHAIN)

    assert asked(text) == ["architecture"]
    assert asked(text, architecture="LeNet5") == ["architecture"]
    assert asked(text, architecture="VGG16") == ["architecture", "head_layers"]
    assert asked(text, architecture="VGG16", head_layers=1) == ["architecture", "head_layers"]
    assert asked(text, architecture="VGG16", head_layers=2) == ["architecture", "head_layers", "optimizer"]
    every = ["architecture", "head_layers", "optimizer", "momentum"]
    assert asked(text, architecture="VGG16", head_layers=2, optimizer="sgd") == every


def test_parameter_below_an_unasked_one_is_not_asked():
    assert asked(searching(*CHAIN), architecture="LeNet5", head_layers=2, optimizer="sgd") == ["architecture"]


def test_order_of_the_file_is_kept_but_for_conditions():
    space = read_space_text(searching("dropout: {float: [0, 0.5]}", *CHAIN, "patience: {int: [1, 9]}"))

    names = [parameter.name for parameter in space.search]

    assert names == ["architecture", "dropout", "head_layers", "optimizer", "momentum", "patience"]


def test_several_conditions_must_all_hold():
    text = searching(
        "optimizer: {choice: [adam, sgd]}",
        "momentum: {float: [0.1, 0.9], when: {optimizer: [sgd], architecture: [VGG16]}}",
    )

    assert "momentum" in asked(text, architecture="VGG16", optimizer="sgd")
    assert "momentum" not in asked(text, architecture="LeNet5", optimizer="sgd")
    assert "momentum" not in asked(text, architecture="VGG16", optimizer="adam")


def test_condition_on_a_fixed_parameter_holds_or_never_holds():
    line = "momentum: {float: [0.1, 0.9], when: {optimizer: [sgd]}}"

    assert asked(searching(line, rest="fixed: {optimizer: sgd}")) == ["architecture", "momentum"]
    assert said(searching(line, rest="fixed: {optimizer: adam}")) == [
        "4:40: search.momentum.when.optimizer: can never hold: optimizer is fixed to adam, but got ['sgd']"
    ]


def test_architecture_of_a_parameter_need_not_be_said():
    space = read_space_text(searching("blocks: {int: [2, 5]}"))

    assert space.search[1].when == (Condition(name="architecture", values=("VGG16",)),)
    alone = read_space_text(searching("blocks: {int: [2, 5]}").replace("[LeNet5, VGG16]", "[VGG19, VGG16]"))
    assert alone.search[1].when == ()


@pytest.mark.parametrize(
    ("lines", "messages"),
    [
        (
            ["dropout: {float: [0, 0.5], when: {architecture: [VGG19]}}"],
            ["4:52: search.dropout.when.architecture[0]: can never hold: architecture must be one of LeNet5, VGG16, but got 'VGG19'; did you mean VGG16?"],
        ),
        (
            ["head_layers: {int: [0, 2]}", "dropout: {float: [0, 0.5], when: {head_layers: [2, 3]}}"],
            ["5:54: search.dropout.when.head_layers[1]: can never hold: head_layers must lie in 0 … 2, but got 3"],
        ),
        (
            ["dropout: {float: [0, 0.5]}", "patience: {int: [1, 2], when: {dropout: [0.1]}}"],
            ["5:34: search.patience.when.dropout: dropout is continuous: a condition needs a choice or a whole number"],
        ),
        (
            ["patience: {int: [1, 2], when: {optimizr: [sgd]}}", "optimizer: {choice: [adam, sgd]}"],
            ["4:34: search.patience.when.optimizr: must be a parameter that is searched or fixed; did you mean optimizer? These are: architecture, optimizer, patience"],
        ),
        (
            ["patience: {int: [1, 2], when: {schedule: [cosine]}}"],
            ["4:34: search.patience.when.schedule: must be a parameter that is searched or fixed; these are: architecture, patience"],
        ),
        (
            ["patience: {int: [1, 2], when: [sgd]}"],
            ["4:33: search.patience.when: must have keys (names of parameters, each with the values for which it is asked), but got ['sgd']"],
        ),
        (
            ["patience: {int: [1, 2], when: {architecture: []}}"],
            ["4:48: search.patience.when.architecture: must be a list such as [first, second], but got []"],
        ),
        (
            ["patience: {int: [1, 2], when: {patience: [1]}}"],
            ["4:27: search.patience.when: conditions must not form a circle, but each of these depends on the next: patience, patience"],
        ),
        (
            [
                "dropout: {choice: [0, 0.1], when: {head_layers: [1]}}",
                "head_layers: {int: [1, 2], when: {patience: [3]}}",
                "patience: {int: [3, 4], when: {head_layers: [2]}}",
            ],
            ["5:30: search.head_layers.when: conditions must not form a circle, but each of these depends on the next: head_layers, patience, head_layers"],
        ),
        (
            ["blocks: {int: [3, 5]}", "dropout: {float: [0, 0.5], when: {blocks: [5], architecture: [LeNet5]}}"],
            ["5:30: search.dropout.when: can never hold: dropout needs architecture is LeNet5, and blocks needs architecture is VGG16"],
        ),
        (
            [
                "optimizer: {choice: [adam, sgd]}",
                "head_layers: {int: [1, 2], when: {optimizer: [adam]}}",
                "dropout: {choice: [0.0, 0.1], when: {head_layers: [2]}}",
                "momentum: {float: [0.1, 0.9], when: {optimizer: [sgd], dropout: [0.1]}}",
            ],
            ["7:33: search.momentum.when: can never hold: momentum needs optimizer is sgd, and head_layers needs optimizer is adam"],
        ),
        (
            ["blocks: {int: [2, 5], when: {architecture: [VGG16, LeNet5]}}"],
            ["4:46: search.blocks.when.architecture: blocks is used by VGG16 and VGG19 only, but is asked for LeNet5"],
        ),
        (
            ["stages: {int: [1, 4]}"],
            ["4:3: search.stages: stages is used by ShortResNet only, and this space has none of these"],
        ),
    ],
)  # fmt: skip
def test_condition_that_cannot_be_is_told(lines: list[str], messages: list[str]):
    assert said(searching(*lines)) == messages


def test_condition_on_a_broken_parameter_is_not_told_twice():
    text = searching("head_layers: {int: [2, 1]}", "dropout: {float: [0, 0.5], when: {head_layers: [2]}}")

    assert said(text) == ["4:22: search.head_layers.int: must be [lowest, highest], but 2 is above 1"]


def test_single_value_is_a_condition_too():
    space = read_space_text(searching("patience: {int: [1, 2], when: {architecture: VGG16}}"))

    assert space.search[1].when == (Condition(name="architecture", values=("VGG16",)),)
