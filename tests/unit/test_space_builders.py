from __future__ import annotations

from pathlib import Path

import pytest
from space_examples import said

from spaces.errors import SpaceError
from spaces.reader import read_space, read_space_text
from spaces.space import Space


def text(architecture: str, builders: str = "nets") -> str:
    key = f"builders: {builders}\n" if builders else ""
    return f"{key}data: {{source: mnist-5k}}\nsearch:\n  architecture: {{choice: ['{architecture}', LeNet5]}}\n"


def wrong(file: Path, architecture: str, builders: str = "nets") -> str:
    file.write_text(text(architecture, builders))
    with pytest.raises(SpaceError) as caught:
        read_space(file)
    return str(caught.value).removeprefix(f"{file}:")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    nets = tmp_path / "nets"
    nets.mkdir()
    (nets / "small.py").write_text("raise SystemExit('imported')\n\ndef two_layers(shape, parameters): ...\n")
    (tmp_path / "outside.py").write_text("def net(shape, parameters): ...\n")
    (nets / "linked.py").symlink_to(tmp_path / "outside.py")
    (nets / "broken.py").write_text("def net(:\n")
    return tmp_path / "mine.yaml"


def test_builder_in_its_folder_is_an_architecture(file: Path):
    file.write_text(text("small:two_layers"))

    space = read_space(file)

    assert space.architectures == ("small:two_layers", "LeNet5")
    assert space.builders == str(file.parent / "nets")
    assert space.complete({"architecture": "small:two_layers"})["blocks"] is None


def test_builder_without_a_folder_is_refused():
    place = "3:27: search.architecture.choice[0]"

    assert said(text("small:two_layers", "")) == [
        f"{place}: your own architecture small:two_layers needs the key `builders`: the folder with small.py"
    ]
    assert said(text("os:system", "")) == [
        f"{place}: your own architecture os:system needs the key `builders`: the folder with os.py"
    ]


@pytest.mark.parametrize(
    "name", ["../x:y", "/etc/x:y", "a.b:c", "a:b:c", "a:b()", ":b", "a:", "a b:c", "1a:b", "a:b\u00e9"]
)
def test_builder_of_other_than_plain_names_is_refused(file: Path, name: str):
    assert wrong(file, name) == (
        "4:27: search.architecture.choice[0]: your own architecture must be module:function, two plain names, "
        f"but got {name!r}"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("os:system", "your own architecture os:system needs the file {nets}/os.py, but there is none"),
        ("linked:net", "your own architecture linked:net must lie inside {nets}, but leads to {tmp}/outside.py"),
        ("small:three", "{nets}/small.py must define the function three, but its functions are: two_layers"),
        ("broken:net", "{nets}/broken.py must be Python, but cannot be read: invalid syntax (<unknown>, line 1)"),
    ],
)
def test_builder_that_is_not_there_is_told(file: Path, name: str, message: str):
    expected = message.format(nets=file.parent / "nets", tmp=file.parent)

    assert wrong(file, name) == f"4:27: search.architecture.choice[0]: {expected}"


def test_folder_that_does_not_exist_is_told_once(file: Path):
    there = file.parent / "none"

    assert wrong(file, "a:b", "none") == f"1:11: builders: must be a folder that exists, but there is none at {there}"
    assert wrong(file, "a:b", "3") == "1:11: builders: must be the path of a folder, but got 3"


def test_builder_from_a_store_needs_no_folder_here(file: Path, tmp_path: Path):
    file.write_text(text("small:two_layers"))
    space = read_space(file)
    (tmp_path / "nets").rename(tmp_path / "moved")

    assert Space.from_json(space.to_json()) == space


def test_relative_folder_begins_at_the_given_one(file: Path):
    assert read_space_text(text("small:two_layers"), folder=file.parent).builders == str(file.parent / "nets")
