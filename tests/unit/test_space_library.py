from __future__ import annotations

from pathlib import Path

import pytest
from space_examples import SMALL

import spaces
from spaces.catalogue import ARCHITECTURES, KERAS_APPLICATIONS
from spaces.errors import SpaceError
from spaces.library import find_space, shipped
from spaces.reader import read_space
from spaces.space import Space

FOLDER = Path(spaces.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "space-files.md"


def space(name: str) -> Space:
    return read_space(find_space(name))


@pytest.mark.parametrize("name", shipped())
def test_shipped_space_is_good_and_documented(name: str):
    read = space(name)

    points = (*read.default_points(), *read.try_first)

    assert read.study == name.replace("_", "-")
    assert all(read.check_point(point.values) == [] for point in points)
    assert len({str(sorted(point.values.items())) for point in read.try_first}) == len(read.try_first)
    assert f"\n| `{name}` |" in DOCS.read_text()


@pytest.mark.parametrize("name", ["head_shrink", "head-shrink", "head_shrink.yaml", "head-shrink.yaml"])
def test_shipped_space_is_found_from_any_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    assert find_space(name) == FOLDER / "head_shrink.yaml"


def test_own_file_comes_before_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.yaml").write_text(SMALL)

    assert find_space("quick.yaml") == Path("quick.yaml")
    assert find_space("quick") == FOLDER / "quick.yaml"
    assert find_space(str(tmp_path / "quick.yaml")) == tmp_path / "quick.yaml"


@pytest.mark.parametrize("name", ["head_shrnk", "spaces/head_shrink", "", ".", "../x\x1b[31m", "x" * 5000, "\0"])
def test_space_that_is_nowhere_is_told_with_what_ships(name: str):
    with pytest.raises(SpaceError) as caught:
        find_space(name)

    message = str(caught.value)
    assert "is neither a space file nor one that ships with hpsearch; " in message
    assert message.endswith(f"hese ship: {', '.join(shipped())}")
    assert str(caught.value).isprintable()


def test_misspelt_shipped_space_gets_a_suggestion():
    with pytest.raises(
        SpaceError, match=r"^'head-shrnk': is neither .*; did you mean head_shrink\? These ship: densenet"
    ):
        find_space("head-shrnk")


def test_head_shrink_begins_with_the_quick_ones():
    read = space("head_shrink")

    assert read.architectures == ("DenseNet121", "MobileNet", "EfficientNetB1", "VGG16")
    assert [point.values["architecture"] for point in read.try_first] == ["DenseNet121", "MobileNet", "VGG16", "VGG16"]
    assert read.try_first[-1].name == "diary 3: two dense of 512"


def test_seven_experiments_of_the_diary_are_points():
    values = [
        (v["head_layers"], v["head_width"], v["dropout"], v["batch_size"], v["learning_rate"])
        for v in (point.values for point in space("vgg16_diary").try_first)
    ]

    assert values == [
        (2, 2048, 0.0, 1024, 1e-3),
        (2, 1024, 0.0, 1024, 1e-3),
        (2, 512, 0.0, 1024, 1e-3),
        (2, 512, 0.0, 1024, 1e-4),
        (2, 512, 0.0, 256, 1e-3),
        (2, 4096, 0.5, 1024, 1e-3),
        (1, 512, 0.5, 1024, 1e-3),
    ]


def test_two_densenet_runs_of_the_diary_are_points():
    read = space("densenet_diary")

    complete = [read.complete(point.values) for point in read.try_first]

    assert [(c["batch_size"], c["learning_rate"], c["patience"], c["epochs"]) for c in complete] == [
        (512, 1e-3, 50, 50),
        (2048, 5e-4, 50, 50),
    ]


def test_every_model_is_in_every_model():
    assert set(space("every_model").architectures) == set(ARCHITECTURES)
    assert len(KERAS_APPLICATIONS) == 40


@pytest.mark.parametrize(
    ("name", "architectures"),
    [
        ("mobilenet_efficientnet", {"MobileNet", "EfficientNetB1"}),
        ("lenet_resnet", {"LeNet5", "ResNet50"}),
        ("shorter_networks", {"VGG16", "ShortResNet"}),
        ("resize_224", {"VGG16", "MobileNet"}),
    ],
)
def test_programme_has_its_networks(name: str, architectures: set[str]):
    assert set(space(name).architectures) == architectures


def test_resizing_to_224_is_a_point():
    assert [point.values["image_size"] for point in space("resize_224").try_first] == [224, 224]
