"""NumPy archives."""

from __future__ import annotations

import numpy as np
import pytest

from search.training.data.dataset import load_dataset
from search.training.data.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 5, 4), np.uint8)
LABELS = np.repeat([0, 1, 2], 4)


def good(**changes):
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:3], "y_test": LABELS[:3]}
    arrays.update(changes)
    return {name: array for name, array in arrays.items() if array is not None}


def error_of(file) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(f"npz:{file}")
    return str(caught.value)


def test_npz_as_keras_ships_them(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **good())

    data = load_dataset(f"npz:{tmp_path / 'a.npz'}")

    assert np.array_equal(data.images[..., 0], IMAGES)
    assert data.labels.tolist() == LABELS.tolist()
    assert data.classes == ("0", "1", "2")
    assert data.test_images.shape == (3, 5, 4, 1)


def test_npz_of_colour_with_names(tmp_path):
    colour = np.repeat(IMAGES[..., None], 3, 3)
    np.savez(tmp_path / "a.npz", images=colour, labels=LABELS[:, None], classes=np.array(["x", "y", "z"]))

    data = load_dataset(f"npz:{tmp_path / 'a.npz'}")

    assert data.image_shape == (5, 4, 3)
    assert data.classes == ("x", "y", "z")
    assert data.test_images.shape == (0, 5, 4, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": IMAGES / 255}, "(uint8), but the training images of"),
        ({"x_train": IMAGES.reshape(12, 20)}, "have (12, 20); reshape them"),
        ({"x_train": np.zeros((12, 5, 4, 2), np.uint8)}, "have (12, 5, 4, 2); reshape them"),
        ({"x_train": IMAGES[:11]}, "has 11 training images and 12 labels"),
        ({"y_train": np.eye(3)[LABELS]}, "the training labels of"),
        ({"y_train": LABELS - 1}, "training image 0 has label -1 (4 such in all)"),
        ({"x_test": IMAGES[:3, :4]}, "training images are 5×4×1 and test images 4×4×1"),
        ({"x_test": None}, "x_test and y_test belong together"),
        ({"y_train": None}, "must hold x_train and y_train, or images and labels, but"),
        ({"classes": np.array(["x", "y"])}, "labels must be from 0 to 1, but in"),
        ({"classes": np.array(["x", "x", "y"])}, "`classes` must be distinct strings"),
        ({"classes": np.array(["x", "y", "z", "w"])}, "these have fewer: 'w' (0)"),
        ({"y_train": LABELS * 0, "y_test": LABELS[:3] * 0}, "needs two classes or more"),
    ],
)
def test_npz_that_does_not_fit(tmp_path, changes, message):
    np.savez(tmp_path / "a.npz", **good(**changes))

    assert message in error_of(tmp_path / "a.npz")


def test_npz_with_pickled_objects(tmp_path):
    np.savez(tmp_path / "a.npz", **good(y_train=np.array([{}] * 12, object)))

    assert "cannot be read as arrays (Object arrays cannot be loaded" in error_of(tmp_path / "a.npz")


def test_npz_damaged(tmp_path):
    file = tmp_path / "a.npz"
    np.savez_compressed(file, **good())
    whole = file.read_bytes()

    for eighth in range(8):
        file.write_bytes(whole[: len(whole) * eighth // 8])
        assert f"{file} cannot be read as arrays" in error_of(file)
    flipped = bytearray(whole)
    flipped[100] ^= 0xFF
    file.write_bytes(flipped)
    assert f"{file} cannot be read as arrays" in error_of(file)


def test_npz_missing_or_single_array(tmp_path):
    assert f"{tmp_path / 'a.npz'} does not exist" in error_of(tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", IMAGES)
    assert "is one array; write it with numpy.savez_compressed" in error_of(tmp_path / "b.npy")
