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
        (
            {"y_train": LABELS - 1},
            "are 3 different numbers: -1, 0, 1; the first that does not fit is that of image 0, -1;",
        ),
        ({"x_test": IMAGES[:3, :4]}, "training images are 5×4×1 and test images 4×4×1"),
        ({"x_test": None}, "x_test and y_test belong together"),
        ({"y_train": None}, "x_train and y_train belong together, but"),
        (
            {"x_train": None, "y_train": None},
            "must hold x_train and y_train, or images and labels, or train_images and",
        ),
        ({"x_val": IMAGES}, "x_val and y_val belong together, but"),
        ({"val_labels": LABELS}, "val_images and val_labels belong together, but"),
        ({"images": IMAGES, "labels": LABELS}, "must hold one train part, but"),
        ({"x_valid": IMAGES, "y_valid": LABELS}, "also has x_valid; rename or leave out"),
        ({"X_val": IMAGES, "y_val": LABELS}, "x_val and y_val belong together, but"),
        ({"x_val": IMAGES[:, :4], "y_val": LABELS}, "training images are 5×4×1 and validation images 4×4×1"),
        ({"x_val": IMAGES, "y_val": LABELS[:9]}, "has 12 validation images and 9 labels"),
        ({"x_val": IMAGES[:0], "y_val": LABELS}, "has 0 validation images and 12 labels"),
        ({"classes": np.array(["x", "y"])}, "labels must be from 0 to 1, but in"),
        ({"classes": np.array(["x", "x", "y"])}, "`classes` must be distinct strings"),
        ({"classes": np.array(["x", "y", "z", "w"])}, "these have fewer: 'w' (0)"),
        ({"y_train": LABELS * 0, "y_test": LABELS[:3] * 0}, "needs two classes or more"),
    ],
)
def test_npz_that_does_not_fit(tmp_path, changes, message):
    np.savez(tmp_path / "a.npz", **good(**changes))

    assert message in error_of(tmp_path / "a.npz")


def test_npz_with_arrays_that_are_no_images(tmp_path):
    more = {"mean": np.float32(0.5), "files": np.array(["a.png"] * 12), "notes": np.array([{}], object)}
    np.savez(tmp_path / "a.npz", **good(**more))

    assert len(load_dataset(f"npz:{tmp_path / 'a.npz'}").images) == 12


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


def splits_named(names, **changes):
    """Training, validation and test part of 12, 6 and 3 images, under such names of their arrays."""
    arrays = (IMAGES, LABELS, IMAGES[::2] + np.uint8(1), LABELS[::2], IMAGES[:3], LABELS[:3])
    return {**dict(zip(names, arrays, strict=True)), **changes}


KERAS = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")
MEDMNIST = ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels")


@pytest.mark.parametrize("names", [KERAS, MEDMNIST])
def test_validation_part_that_is_brought_is_the_validation_part(tmp_path, names):
    np.savez(tmp_path / "a.npz", **splits_named(names))

    data = load_dataset(f"npz:{tmp_path / 'a.npz'}", validation=0.5)

    assert np.array_equal(data.images[data.train][..., 0], IMAGES)
    assert data.labels[data.train].tolist() == LABELS.tolist()
    assert np.array_equal(data.images[data.validation][..., 0], IMAGES[::2] + np.uint8(1))
    assert data.labels[data.validation].tolist() == LABELS[::2].tolist()
    assert len(data.test_labels) == 3
    assert data.has_own_validation


def test_train_limit_leaves_a_validation_part_that_is_brought(tmp_path):
    np.savez(tmp_path / "a.npz", **splits_named(KERAS))
    source = f"npz:{tmp_path / 'a.npz'}"

    data = load_dataset(source, train_limit=6)

    assert np.bincount(data.labels[data.train]).tolist() == [2, 2, 2]
    assert set(data.train) < set(range(12))
    assert data.validation.tolist() == list(range(12, 18))
    with pytest.raises(DataError, match="train_limit must leave an image of each class, but got 2"):
        load_dataset(source, train_limit=2)


def test_fingerprint_has_a_validation_part_that_is_brought_in_it(tmp_path):
    file = tmp_path / "a.npz"

    def fingerprint(**arrays) -> str:
        np.savez(file, **splits_named(KERAS, **arrays))
        return load_dataset(f"npz:{file}").fingerprint

    first = fingerprint()
    assert fingerprint() == first
    np.savez(file, **{name: array for name, array in splits_named(KERAS).items() if "val" not in name})
    assert load_dataset(f"npz:{file}").fingerprint != first
    assert fingerprint(x_val=IMAGES[::2] + np.uint8(2)) != first
    assert fingerprint(y_val=LABELS[::2][::-1]) != first


def test_one_training_image_a_class_will_do_beside_a_validation_part(tmp_path):
    np.savez(tmp_path / "a.npz", **splits_named(KERAS, x_train=IMAGES[::4], y_train=LABELS[::4]))

    assert load_dataset(f"npz:{tmp_path / 'a.npz'}").train.tolist() == [0, 1, 2]


def test_class_without_training_images_beside_a_validation_part(tmp_path):
    np.savez(tmp_path / "a.npz", **splits_named(KERAS, classes=np.array(["x", "y", "z", "w"])))

    assert error_of(tmp_path / "a.npz") == (
        "each class needs a training image, but these have none: 'w'; add images, or remove the class"
    )


def test_validation_part_without_images_is_none(tmp_path):
    np.savez(tmp_path / "a.npz", **splits_named(KERAS, x_val=np.empty((0, 5, 4)), y_val=np.empty(0)))

    data = load_dataset(f"npz:{tmp_path / 'a.npz'}")

    assert not data.has_own_validation
    assert np.bincount(data.labels[data.validation]).tolist() == [1, 1, 1]
