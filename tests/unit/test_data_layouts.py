"""Folders as people lay them out: parts, nested folders, links; never taken for what they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from search.training.data.dataset import load_dataset
from search.training.data.errors import DataError

KNOWN = (
    "; lay the images out as CLASS/IMAGE, or as train/CLASS/IMAGE with test/CLASS/IMAGE and val/CLASS/IMAGE where "
    "there are such parts (also training, testing, valid, validation), leave out images whose class is not known, and "
    "rename a class that is called like a part"
)


def write(folder: Path, *files: str) -> Path:
    """Image files below a folder, each of one grey: its place among the files."""
    for shade, name in enumerate(files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), shade).save(folder / name)
    return folder


def loaded(folder: Path):
    return load_dataset(f"folder:{folder}")


def error_of(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        loaded(folder)
    return str(caught.value)


def both(*parts: str, names=("cat", "dog")) -> list[str]:
    """Two images of each class in each part."""
    return [f"{part}/{name}/{number}.png" for part in parts for name in names for number in (0, 1)]


def flat(*parts: str) -> list[str]:
    return [f"{part}/{number}.png" for part in parts for number in range(4)]


@pytest.mark.parametrize(
    "files",
    [
        flat("train", "test"),
        flat("train", "test1"),
        flat("Train", "TEST"),
        flat("training", "testing"),
        flat("train", "val"),
        flat("train", "valid", "test"),
        flat("train", "validation"),
        flat("val", "test"),
        flat("train"),
        flat("train_images", "test_images"),
        flat("trainset", "testset"),
        flat("TrainImages", "TestImages"),
        flat("seg_train", "seg_test", "seg_pred"),
        flat("cat", "dog", "test"),
        flat("cat", "dog", "Validation"),
        [*both("train"), *flat("test")],
        [*both("test"), *flat("train")],
        [*both("train", "test"), *flat("val")],
        [*both("train", "test"), *flat("unlabelled")],
        [*both("train"), *flat("extra")],
        both("val", "test"),
        both("train", "Train", "test"),
        both("train", "val", "validation"),
        both("seg_train/seg_train", "seg_test/seg_test"),
        both("cat/train", "cat/test", "dog/train", "dog/test"),
        [*flat("cat", "dog"), *flat("cat/test", "dog/test")],
    ],
)
def test_names_of_parts_are_never_classes(tmp_path, files):
    message = error_of(write(tmp_path, *files))

    assert message.startswith("folders must be classes, or parts with a folder for each class in them, but ")
    assert message.endswith(KNOWN)


def test_flat_parts_are_named(tmp_path):
    write(tmp_path, *flat("test", "train"))

    assert f"but {tmp_path}/test, which is named after a part of the data, has no folders" in error_of(tmp_path)


def test_folder_beside_parts_is_named(tmp_path):
    write(tmp_path, *both("train", "test"), *flat("sample"))

    assert f"{tmp_path} has folders named after parts of the data (test, train), and sample;" in error_of(tmp_path)


@pytest.mark.parametrize(
    "classes",
    [
        ("bus", "car", "train"),  # which is also a vehicle
        ("invalid", "valid"),
        ("test tube", "train station"),
        ("contest", "trainer"),
        ("beaker", "test tube"),
    ],
)
def test_classes_that_sound_like_parts(tmp_path, classes):
    assert loaded(write(tmp_path, *flat(*classes))).classes == classes


@pytest.mark.parametrize("names", [("train", "test"), ("Train", "Test"), ("TRAIN", "TEST"), ("training", "testing")])
def test_training_and_test_part(tmp_path, names):
    data = loaded(write(tmp_path, *both(*names)))

    assert data.classes == ("cat", "dog")
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert data.test_images[:, 0, 0, 0].tolist() == [4, 5, 6, 7]
    assert not data.has_own_validation


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Validation"])
def test_validation_part_that_is_brought(tmp_path, name):
    data = loaded(write(tmp_path, *both("train", name, "test")))

    assert data.images[data.train][:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert data.images[data.validation][:, 0, 0, 0].tolist() == [4, 5, 6, 7]
    assert data.labels[data.validation].tolist() == [0, 0, 1, 1]
    assert data.test_images[:, 0, 0, 0].tolist() == [8, 9, 10, 11]
    assert data.has_own_validation


def test_validation_part_with_a_class_of_its_own(tmp_path):
    write(tmp_path, *both("train"), *both("val", names=("cat", "dog", "emu")))

    assert f"{tmp_path}/val has a class 'emu' that the training part lacks" in error_of(tmp_path)


def test_folders_within_a_class_belong_to_it(tmp_path):
    files = [f"{name}/{place}.png" for name in ("cat", "dog") for place in ("b", "z", "a/b", "a/1/2/3/4", "c/a")]

    data = loaded(write(tmp_path, *files))

    # As Keras orders them: folder by folder.
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert data.labels.tolist() == [0] * 5 + [1] * 5


def test_folders_within_a_class_of_a_part(tmp_path):
    data = loaded(write(tmp_path, *both("train", names=("cat/a/b", "dog/c")), *both("test", names=("cat", "dog/d"))))

    assert (len(data.labels), data.test_labels.tolist()) == (4, [0, 0, 1, 1])


def test_hidden_folders_within_a_class_are_passed_over(tmp_path):
    assert len(loaded(write(tmp_path, *flat("cat", "dog"), "cat/.ipynb_checkpoints/0.png")).labels) == 8


def test_links_are_followed_to_classes_and_files_alone(tmp_path):
    kept, folder = tmp_path / "kept", tmp_path / "data"
    write(kept, *flat("cat", "dog", "other"))
    folder.mkdir()
    for name in ("cat", "dog"):
        (folder / name).symlink_to(kept / name)
    (kept / "cat" / "again.png").symlink_to(kept / "other" / "0.png")
    (kept / "cat" / "round").symlink_to(folder)
    (kept / "dog" / "out").symlink_to(kept / "other")
    (kept / "dog" / "nowhere.png").symlink_to(kept / "nothing.png")

    data = loaded(folder)

    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 8, 4, 5, 6, 7]
    assert data.labels.tolist() == [0] * 5 + [1] * 4
