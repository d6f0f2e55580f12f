from __future__ import annotations

import math
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_examples import SMALL, contract, plain_spaces, searching

from spaces.catalogue import RULES
from spaces.reader import read_space_plain, read_space_text
from spaces.space import Condition, Parameter, Space

WIDTH = Parameter(name="head_width", kind="int", low=512, high=4096, step=512)
RATE = Parameter(name="learning_rate", kind="float", low=1e-5, high=1e-2, log=True)
POOL = Parameter(name="head_pool", kind="choice", choices=("avg", "flatten"))
BATCH = Parameter(name="batch_size", kind="choice", choices=(128, 512, 2048))


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (WIDTH, [512, 1024, 4096], [511, 513, 4608, 512.0, "512", None, True]),
        (RATE, [1e-5, 1e-3, 1e-2], [0.0, 1e-6, 0.1, 1, math.nan, math.inf, "1e-3", None, True]),
        (POOL, ["avg", "flatten"], ["max", 0, None, False]),
        (BATCH, [128, 2048], [129, "128", True, None]),
        (Parameter(name="dropout", kind="float", low=0, high=0.5), [0, 0.0, 0.5], [-0.1, 1]),
        (Parameter(name="patience", kind="int", low=1, high=3), [1, 2, 3], [True, 1.0]),
    ],
)
def test_range_contains_its_values_only(parameter: Parameter, inside: list[object], outside: list[object]):
    assert [parameter.contains(value) for value in inside] == [True] * len(inside)
    assert [parameter.contains(value) for value in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("parameter", "value", "nearest"),
    [
        (WIDTH, 512, 512), (WIDTH, 10, 512), (WIDTH, 9999, 4096), (WIDTH, 800, 1024), (WIDTH, 700, 512),
        (RATE, 1e-3, 1e-3), (RATE, 1.0, 1e-2), (RATE, 1e-9, 1e-5),
        (POOL, "flatten", "flatten"), (POOL, "max", "avg"),
        (BATCH, 256, 128), (BATCH, 400, 512), (BATCH, 2048, 2048), (BATCH, "x", 128),
    ],
)  # fmt: skip
def test_nearest_value_lies_in_the_range(parameter: Parameter, value: int, nearest: int):
    assert parameter.nearest(value) == nearest
    assert type(parameter.nearest(value)) is type(nearest)


def test_default_of_the_file_beats_the_trainers():
    rate = contract().search[5]

    assert rate.start("VGG16") == 1e-4
    assert rate.start("MobileNet") == 1e-3
    assert RATE.start("VGG19") == 1e-4
    assert Parameter(name="patience", kind="int", low=20, high=50).start("LeNet5") == 20


def test_default_points_are_one_for_each_architecture():
    points = contract().default_points()

    assert [point.name for point in points] == [
        "default VGG16", "default MobileNet", "default EfficientNetB1", "default DenseNet121",
    ]  # fmt: skip
    assert points[0].values == {
        "architecture": "VGG16", "head_layers": 1, "head_width": 512, "dropout": 0.0, "batch_size": 256,
        "learning_rate": 1e-4, "patience": 10, "blocks": 5,
    }  # fmt: skip
    assert points[1].values == {
        "architecture": "MobileNet", "head_layers": 1, "head_width": 512, "dropout": 0.0, "batch_size": 256,
        "learning_rate": 1e-3, "patience": 10,
    }  # fmt: skip


def test_default_point_of_a_fixed_architecture_is_one():
    space = read_space_text("data: {source: mnist-5k}\nfixed: {architecture: VGG19}\nsearch: {blocks: {int: [2, 3]}}\n")

    assert space.architectures == ("VGG19",)
    assert [(point.name, dict(point.values)) for point in space.default_points()] == [("default VGG19", {"blocks": 3})]


def test_searched_epochs_begin_with_the_whole_budget():
    space = read_space_text(searching("epochs: {int: [1, 60]}", rest="budget: {epochs: 60}"))

    assert space.default_points()[0].values["epochs"] == 60


def test_complete_point_has_every_parameter_of_the_trainer():
    space = read_space_text(
        searching(
            "blocks: {int: [2, 5]}",
            "momentum: {float: [0.5, 0.8], when: {architecture: [VGG16]}}",
            rest="fixed: {optimizer: sgd}\nimage: {size: 48}\nbudget: {epochs: 7}\n",
        )
    )
    common = {
        "stages": None, "blocks_per_stage": None, "image_size": 48, "head_pool": "flatten", "head_layers": 1,
        "head_width": 512, "dropout": 0.0, "dropout_at": "last", "batch_size": 256, "schedule": "constant",
        "optimizer": "sgd", "weight_decay": 0.0, "label_smoothing": 0.0, "augment": "none", "patience": 10, "epochs": 7,
        "batch_norm": "honest",
        "weight_average": "tail",
    }  # fmt: skip

    vgg16 = space.complete({"architecture": "VGG16", "blocks": 3, "momentum": 0.7})
    lenet = space.complete({"architecture": "LeNet5"})

    assert vgg16 == {**common, "architecture": "VGG16", "blocks": 3, "momentum": 0.7, "learning_rate": 1e-4}
    assert lenet == {**common, "architecture": "LeNet5", "blocks": None, "momentum": 0.9, "learning_rate": 1e-3}


def test_fill_adds_what_is_asked_in_order():
    space = contract()

    filled = space.fill({"dropout": 0, "architecture": "VGG16"})

    assert list(filled) == [parameter.name for parameter in space.search]
    assert filled["dropout"] == 0.0
    assert isinstance(filled["dropout"], float)
    assert space.check_point(filled) == []


def test_point_outside_is_told_by_parameter():
    space = contract()
    point = {**space.default_points()[1].values, "dropout": 0.9, "blocks": 3, "stages": 2, "optimizer": "sgd"}
    del point["patience"]
    searched = ", ".join(parameter.name for parameter in space.search)

    assert space.check_point(point) == [
        "dropout: must lie in 0.0 … 0.6, but got 0.9",
        f"stages: is not searched in this space; searched: {searched}",
        "optimizer: is fixed to adam in this space, but got 'sgd'",
        "patience: is asked here, but has no value",
        "blocks: is only asked where architecture is VGG16",
    ]


def test_wrong_value_is_not_told_again_by_what_depends_on_it():
    space = contract()
    point = {**space.default_points()[0].values, "architecture": "VGG61"}

    assert space.check_point(point) == [
        "architecture: must be one of VGG16, MobileNet, EfficientNetB1, DenseNet121, but got 'VGG61'"
    ]


def test_grid_goes_through_all_points_in_order():
    space = read_space_text(
        searching(
            "head_layers: {int: [0, 1]}",
            "head_width: {choice: [64, 32], when: {head_layers: [1]}}",
            "blocks: {int: [2, 4], step: 2}",
            rest="sampler: {name: grid}\n",
        )
    )

    assert [tuple(point.values()) for point in space.grid()] == [
        ("LeNet5", 0), ("LeNet5", 1, 64), ("LeNet5", 1, 32),
        ("VGG16", 0, 2), ("VGG16", 0, 4),
        ("VGG16", 1, 64, 2), ("VGG16", 1, 64, 4), ("VGG16", 1, 32, 2), ("VGG16", 1, 32, 4),
    ]  # fmt: skip


def test_grid_of_a_continuous_parameter_names_it():
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the whole message is compared
        read_space_text(SMALL).grid()

    assert str(caught.value) == (
        "a grid needs parameters with single values, but dropout is continuous (0.0 … 0.5); "
        "write it as {choice: [...]}, or take another sampler"
    )


def test_grid_takes_a_range_of_one_value():
    space = read_space_text(SMALL.replace("[0.0, 0.5]", "[0.25, 0.25]") + "sampler: {name: grid}")

    assert list(space.grid()) == [
        {"architecture": "LeNet5", "dropout": 0.25},
        {"architecture": "VGG16", "dropout": 0.25},
    ]


def test_condition_reads_like_a_sentence():
    condition = Condition(name="architecture", values=("VGG16", "VGG19"))

    assert condition.describe() == "architecture is VGG16 or VGG19"


def drawn(space: Space, data: st.DataObject) -> dict[str, object]:
    """A point as a sampler draws it: ask for the first parameter that has no value yet."""
    values: dict[str, object] = {}
    while missing := [p for p in space.active(values) if p.name not in values]:
        values[missing[0].name] = data.draw(value_of(missing[0]))
    return values


def value_of(parameter: Parameter) -> st.SearchStrategy[object]:
    if parameter.kind == "float":
        return st.floats(parameter.low, parameter.high)
    return st.sampled_from(list(islice(parameter.values(), 10_000)))


@settings(max_examples=200, deadline=None)
@given(plain_spaces(), st.data())
def test_every_drawn_point_belongs_to_the_space(plain: dict[str, object], data: st.DataObject):
    space = read_space_plain(plain, "random", is_checked=True)

    point = drawn(space, data)
    complete = space.complete(point)

    assert space.check_point(point) == []
    assert space.fill(point) == point
    assert set(complete) == set(RULES)
    assert point.items() <= complete.items()
    for name, value in complete.items():
        used = RULES[name].is_used_by(complete["architecture"])
        assert (value is not None) == used
        assert not used or name == "architecture" or RULES[name].problem(value) is None


@settings(max_examples=100, deadline=None)
@given(plain_spaces())
def test_every_default_point_belongs_to_the_space(plain: dict[str, object]):
    space = read_space_plain(plain, "random", is_checked=True)

    points = space.default_points()

    assert len(points) == len(space.architectures)
    assert [space.check_point(point.values) for point in points] == [[]] * len(points)


@settings(max_examples=100, deadline=None)
@given(plain_spaces())
def test_every_grid_point_belongs_to_the_space_and_is_new(plain: dict[str, object]):
    space = read_space_plain(plain, "random", is_checked=True)
    try:
        points = list(islice(space.grid(), 50))
    except ValueError:
        assert any(p.kind == "float" and p.low < p.high for p in space.search)
        return

    assert points
    assert all(space.check_point(point) == [] for point in points)
    assert len({tuple(sorted(point.items(), key=str)) for point in points}) == len(points)
