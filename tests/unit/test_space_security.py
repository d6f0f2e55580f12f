# ruff: noqa: E501  a row is a text and the whole message
from __future__ import annotations

import time
from pathlib import Path

import pytest
from space_examples import SMALL, said, searching

from spaces.errors import SpaceError
from spaces.reader import read_space, read_space_text

KEYS = "study, data, image, objective, search, fixed, try_first, budget, sampler, pruner, checkpoint, builders"


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("!!python/object/apply:os.system", "tag:yaml.org,2002:python/object/apply:os.system"),
        ("!!python/name:os.system", "tag:yaml.org,2002:python/name:os.system"),
        ("!<tag:yaml.org,2002:python/module:os>", "tag:yaml.org,2002:python/module:os"),
        ("!own", "!own"),
    ],
)
def test_python_tag_is_refused_and_not_run(tag: str, name: str, tmp_path: Path):
    made = tmp_path / "made"

    wrong = said(SMALL + f"study: {tag} ['touch {made}']\n")

    assert wrong[0] == f"5:8: study: tags are not allowed, but got {name!r}: write the plain value"
    assert not made.exists()


def test_alias_bomb_is_refused_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
    begin = time.process_time()

    wrong = said("\n".join(lines))

    assert time.process_time() - begin < 1.0
    assert "2:10: a1[0]: aliases are not allowed: write the value out instead of *a0" in wrong


@pytest.mark.parametrize(
    "text", ["[" * 30_000, "{a: " * 8_000, "- " * 16_000, "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 200))]
)
def test_deep_nesting_is_refused_quickly(text: str):
    begin = time.process_time()

    wrong = said(text)

    assert time.process_time() - begin < 1.0
    assert wrong[-1].endswith("must not be nested deeper than 12 levels")


def test_text_without_end_is_refused_quickly(tmp_path: Path):
    file = tmp_path / "large.yaml"
    file.write_text(SMALL + "# …\n" * 1_000_000)
    begin = time.process_time()

    with pytest.raises(SpaceError) as caught:
        read_space(file)

    assert time.process_time() - begin < 0.5
    assert str(caught.value) == f"{file}: must have at most 32,768 characters: this is no space file"


def test_largest_text_is_read_quickly():
    points = "".join(f"  - {{architecture: VGG16, dropout: 0.{number:03d}}}\n" for number in range(500))
    points += "  - {architecture: VGG16}\n" * 600
    text = f"{SMALL}try_first:\n{points}"[:32_700].rpartition("\n")[0]
    begin = time.process_time()

    read_space_text(text)

    assert time.process_time() - begin < 2.0


def test_equal_keys_are_refused():
    text = searching("dropout: {float: [0.0, 0.5]}", "dropout: {float: [0.0, 0.6]}")

    assert said(text) == ["5:3: search.dropout: equal keys are not allowed: 'dropout' stands already in line 4"]
    assert said(SMALL + "fixed: {optimizer: adam, patience: 3, optimizer: sgd}\n") == [
        "5:39: fixed.optimizer: equal keys are not allowed: 'optimizer' stands already in line 5"
    ]


def test_unknown_key_is_refused_with_its_line():
    assert said(SMALL + "x: 1\n") == [f"5:1: x: there is no key 'x' here; allowed: {KEYS}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", "2:2: is not YAML: while parsing a flow sequence: expected ',' or ']', but got ':'"),
        ("a:\n\tb: 1", r"2:1: is not YAML: while scanning for the next token: found character '\t' that cannot start any token"),
        ("a: 'x", "1:6: is not YAML: while scanning a quoted scalar: found unexpected end of stream"),
        ("a: b: c", "1:5: is not YAML: mapping values are not allowed here"),
        ("a: 1\nb: \x1b[31m", "2:4: is not YAML: the control character #x1b is not allowed"),
        ("a: 1\nb: \x00", "2:4: is not YAML: the control character #x00 is not allowed"),
        ("%YAML 3.0\n---\na: 1", "1:1: is not YAML: found incompatible YAML document (version 1.* is required)"),
    ],
)  # fmt: skip
def test_text_that_is_no_yaml_is_told_with_its_place(text: str, message: str):
    assert said(text) == [message]


def test_second_document_is_refused():
    assert said(SMALL + "---\nx: 1\n") == ["5:1: a space file is one document, but here begins another"]


def test_key_that_is_no_word_is_refused():
    wrong = said(SMALL + "? [a, b]\n: 1\n")

    assert wrong[0] == "5:3: a key must be a word, but got ['a', 'b']"


def test_control_characters_never_reach_a_message():
    wrong = said(
        searching(
            r'"a\e[31mb": {float: [0, 1]}',
            r'optimizer: {choice: ["\e[31m", "x\ny"]}',
            r'patience: {int: [1, 2], when: {"\e]0;x\a": [1]}}',
            rest=r'"c\nd": 1' + "\n" + r'study: "\e[2J"' + "\n",
        )
    )

    assert len(wrong) == 6
    assert all(line.isprintable() for line in wrong)


def test_numbers_follow_yaml_1_2():
    space = read_space_text(searching("learning_rate: {float: [1e-3, 1E+0]}", "dropout: {float: [.0, 5.e-1]}"))

    assert (space.search[1].low, space.search[1].high) == (0.001, 1.0)
    assert (space.search[2].low, space.search[2].high) == (0.0, 0.5)


@pytest.mark.parametrize("low", ["1_000", "0x10", "0o17", "1e", "'1'", "9" * 5000, "12:30", "2024-05-28", "on", "null"])
def test_number_in_other_clothes_is_an_error(low: str):
    (wrong,) = said(searching(f"patience: {{int: [{low}, 100000]}}"))

    assert wrong.startswith("4:20: search.patience.int[0]: must be a whole number from 1 to 100000, but got ")
    assert len(wrong) < 200


def test_words_stay_words():
    space = read_space_text(SMALL.replace("search:", "study: no\nsearch:"))

    assert space.study == "no"
