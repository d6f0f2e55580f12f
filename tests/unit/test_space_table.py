# ruff: noqa: E501  a row is a line
from __future__ import annotations

from space_examples import contract, searching

from spaces.reader import read_space_text
from spaces.table import Row, rows


def test_rows_say_what_is_searched_fixed_and_left():
    found = rows(contract())

    assert found[:9] == (
        Row(name="architecture", kind="choice", values="VGG16, MobileNet, EfficientNetB1, DenseNet121", when="", default=""),
        Row(name="head_layers", kind="int", values="1 … 2", when="", default="1"),
        Row(name="head_width", kind="int", values="512 … 4096 step 512", when="", default="512"),
        Row(name="dropout", kind="float", values="0.0 … 0.6", when="", default="0.0"),
        Row(name="batch_size", kind="int", values="256 … 2048 step 256", when="", default="256"),
        Row(name="learning_rate", kind="float", values="1e-05 … 0.01 log", when="", default="0.0001 for VGG16, else 0.001"),
        Row(name="patience", kind="int", values="3 … 50 log", when="", default="10"),
        Row(name="blocks", kind="int", values="3 … 5", when="architecture is VGG16", default="5"),
        Row(name="optimizer", kind="fixed", values="adam", when="", default=""),
    )  # fmt: skip
    assert {row.kind for row in found[9:]} == {"default"}
    assert Row(name="image_size", kind="default", values="32", when="", default="") in found


def test_rows_leave_out_what_no_architecture_uses():
    assert not {"stages", "blocks_per_stage"} & {row.name for row in rows(contract())}


def test_row_of_an_unsearched_parameter_says_whose_it_is():
    found = {row.name: row for row in rows(read_space_text(searching("dropout: {float: [0, 0.5]}")))}

    assert found["blocks"] == Row(name="blocks", kind="default", values="5", when="architecture is VGG16", default="")
    assert found["learning_rate"].values == "0.0001 for VGG16, else 0.001"


def test_row_of_a_chain_names_its_conditions():
    space = read_space_text(
        searching(
            "head_layers: {int: [0, 2]}",
            "head_width: {int: [64, 128], when: {head_layers: [1, 2], architecture: [VGG16]}}",
        )
    )

    assert rows(space)[2].when == "head_layers is 1 or 2 and architecture is VGG16"
