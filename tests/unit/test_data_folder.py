"""Folders of image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.training.data.dataset import load_dataset
from search.training.data.errors import DataError


def picture(shade: int, mode="L", size=(5, 4)) -> Image.Image:
    return Image.new("L", size, shade).convert(mode)


def write_classes(folder: Path, names=("cat", "dog"), n=3, mode="L") -> Path:
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(n):
            picture(100 * label + number, mode).save(folder / name / f"{number}.png")
    return folder


def error_of(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(f"folder:{folder}")
    return str(caught.value)


def test_folder_of_grey_images(tmp_path):
    data = load_dataset(f"folder:{write_classes(tmp_path)}")

    assert data.classes == ("cat", "dog")
    assert data.image_shape == (4, 5, 1)
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(data.test_labels) == 0
    assert np.bincount(data.labels[data.validation]).tolist() == [1, 1]


def test_folder_with_colour(tmp_path):
    write_classes(tmp_path)
    Image.new("RGBA", (5, 4), (10, 20, 30, 128)).save(tmp_path / "dog" / "0.png")

    data = load_dataset(f"folder:{tmp_path}")

    assert data.image_shape == (4, 5, 3)
    assert data.images[:, 0, 0].tolist()[2:4] == [[2, 2, 2], [10, 20, 30]]


def test_folder_with_train_and_test(tmp_path):
    write_classes(tmp_path / "train")
    write_classes(tmp_path / "test", names=("dog",), n=2)
    (tmp_path / "test" / "cat").mkdir()
    picture(7).save(tmp_path / "test" / "cat" / "x.png")

    data = load_dataset(f"folder:{tmp_path}")

    assert len(data.labels) == 6
    assert data.test_labels.tolist() == [0, 1, 1]
    assert data.test_images[:, 0, 0, 0].tolist() == [7, 0, 1]


def test_test_part_with_a_class_of_its_own(tmp_path):
    write_classes(tmp_path / "train")
    write_classes(tmp_path / "test", names=("cat", "dog", "emu"))

    assert "has a class 'emu' that the training part lacks" in error_of(tmp_path)


def test_other_files_are_passed_over(tmp_path):
    write_classes(tmp_path)
    (tmp_path / ".cache").mkdir()
    (tmp_path / "README.txt").write_text("cats and dogs")
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"\0")
    (tmp_path / "cat" / "._0.png").write_bytes(b"\0")

    assert len(load_dataset(f"folder:{tmp_path}").labels) == 6


def test_folder_with_one_class(tmp_path):
    assert error_of(write_classes(tmp_path, names=("cat",))) == (
        f"{tmp_path} must have two sub-folders or more, one a class, but has 1; "
        "sort the images into a folder for each class"
    )


def test_folder_that_is_none(tmp_path):
    assert f"but {tmp_path / 'x'} is none" in error_of(tmp_path / "x")


def test_class_without_images(tmp_path):
    write_classes(tmp_path)
    (tmp_path / "emu").mkdir()

    assert f"each class needs images, but {tmp_path / 'emu'} has no file ending in" in error_of(tmp_path)


def test_class_with_one_image(tmp_path):
    write_classes(tmp_path)
    (tmp_path / "emu").mkdir()
    picture(1).save(tmp_path / "emu" / "0.png")

    assert "these have fewer: 'emu' (1); add images" in error_of(tmp_path)


def test_image_of_another_size(tmp_path):
    write_classes(tmp_path)
    picture(1, size=(7, 4)).save(tmp_path / "dog" / "1.png")

    assert error_of(tmp_path) == (
        f"all images must be of one size, but {tmp_path}/dog/1.png is 7×4 and {tmp_path}/cat/0.png is 5×4 "
        "(width×height); resize them first"
    )


@pytest.mark.parametrize("kept", [0, 20, -20])
def test_image_damaged(tmp_path, kept):
    write_classes(tmp_path)
    path = tmp_path / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:kept])

    assert error_of(tmp_path).startswith(f"{path} is no readable image (")


def test_image_of_sixteen_bits(tmp_path):
    write_classes(tmp_path)
    Image.fromarray(np.full((4, 5), 60_000, np.uint16)).save(tmp_path / "dog" / "1.png")

    message = error_of(tmp_path)

    assert message.startswith(f"images must have 8 bits a channel, but {tmp_path}/dog/1.png has pixels of kind I")
