"""IDX files: what a good one gives, and what each kind of bad one says."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from search.training.data.dataset import load_dataset
from search.training.data.emnist import SPLITS
from search.training.data.errors import DataError

N_PER_CLASS = 4
HEIGHT, WIDTH = 6, 4


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.astype(np.uint8).tobytes()


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, HEIGHT, WIDTH), np.uint8)


def write_set(folder: Path, train="train", test="t10k", suffix=".gz", transposed=False, labels=(0, 1, 2)):
    """A set of `N_PER_CLASS` images a label in both parts; returns the upright training images."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, part in enumerate((train, test)):
        codes = np.repeat(labels, N_PER_CLASS)
        images = pictures(len(codes), seed)
        stored = images.transpose(0, 2, 1) if transposed else images
        for kind, array in (("images-idx3", stored), ("labels-idx1", codes)):
            content = idx(array)
            path = folder / f"{part}-{kind}-ubyte{suffix}"
            path.write_bytes(gzip.compress(content, mtime=0) if suffix == ".gz" else content)
    return pictures(N_PER_CLASS * len(labels), 0)


def write_emnist(folder: Path, split="balanced", **options):
    published = SPLITS[split]
    labels = range(published.first_label, published.first_label + len(published.classes))
    return write_set(folder, f"emnist-{split}-train", f"emnist-{split}-test", transposed=True, labels=labels, **options)


def error_of(source: str, **options) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(source, **options)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_mnist_names_gzip_or_plain(tmp_path, suffix):
    images = write_set(tmp_path, suffix=suffix)

    data = load_dataset(f"idx:{tmp_path}")

    assert data.images.dtype == np.uint8
    assert data.image_shape == (HEIGHT, WIDTH, 1)
    assert np.array_equal(data.images[..., 0], images)
    assert data.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert data.labels.dtype == np.int64
    assert data.classes == ("0", "1", "2")
    assert len(data.test_labels) == 12


def test_dotted_names_of_some_unpackers(tmp_path):
    write_set(tmp_path, suffix="")
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))

    assert len(load_dataset(f"idx:{tmp_path}").labels) == 12


def test_gzip_told_by_content_not_name(tmp_path):
    images = write_set(tmp_path)
    for path in tmp_path.glob("*.gz"):
        path.write_bytes(gzip.decompress(path.read_bytes()))

    assert np.array_equal(load_dataset(f"idx:{tmp_path}").images[..., 0], images)


def test_emnist_names_are_turned_upright(tmp_path):
    images = write_emnist(tmp_path)

    data = load_dataset(f"idx:{tmp_path}")

    assert data.image_shape == (HEIGHT, WIDTH, 1)
    assert np.array_equal(data.images[..., 0], images)
    assert data.classes == SPLITS["balanced"].classes


def test_blocks_of_a_large_set_join(tmp_path, monkeypatch):
    monkeypatch.setattr("search.training.data.idx._BLOCK", 5 * HEIGHT * WIDTH)  # 188 = 37 × 5 + 3
    images = write_emnist(tmp_path)

    assert np.array_equal(load_dataset(f"idx:{tmp_path}").images[..., 0], images)


@pytest.mark.parametrize("split", SPLITS)
def test_emnist_split_in_a_subfolder(tmp_path, split):
    write_emnist(tmp_path / "EMNIST" / "raw", split)

    data = load_dataset(f"emnist-{split}", data_folder=tmp_path)

    assert data.classes == SPLITS[split].classes
    assert sorted(set(data.labels)) == list(range(len(data.classes)))


def test_emnist_from_the_zip(tmp_path):
    write_emnist(tmp_path / "files", "letters")
    unpacked = load_dataset(f"idx:{tmp_path / 'files'}")
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "gzip.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (tmp_path / "files").iterdir():
            archive.write(path, f"gzip/{path.name}")

    data = load_dataset("emnist-letters", data_folder=tmp_path / "data")

    assert data.classes[:2] == ("A", "B")
    assert data.labels.min() == 0
    assert data.fingerprint == unpacked.fingerprint
    message = error_of("emnist-digits", data_folder=tmp_path / "data")
    assert f"{tmp_path}/data/gzip.zip holds no emnist-digits files" in message


def test_mapping_names_the_classes(tmp_path):
    write_emnist(tmp_path, "letters")
    lines = [f"{label} {64 + label} {96 + label}\n" for label in range(1, 27)]
    (tmp_path / "emnist-letters-mapping.txt").write_text("".join(lines))

    assert load_dataset(f"idx:{tmp_path}").classes == SPLITS["letters"].classes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 48\none 49\n", "but line 2 is 'one 49'"),
        ("0 48\n0 49\n", "label 0 comes twice"),
        ("", "is empty"),
    ],
)
def test_mapping_that_is_none(tmp_path, text, message):
    write_set(tmp_path)
    (tmp_path / "mapping.txt").write_text(text)

    assert message in error_of(f"idx:{tmp_path}")


def test_label_outside_the_mapping(tmp_path):
    write_set(tmp_path, labels=(0, 1, 7))
    (tmp_path / "mapping.txt").write_text("0 48\n1 49\n2 50\n")

    assert error_of(f"idx:{tmp_path}") == (
        f"labels must be from 0 to 2 as its mapping says, but in {tmp_path}/train-labels-idx1-ubyte.gz label 8 "
        "is 7 (4 such in all); labels and mapping belong to different sets: fetch or copy both again"
    )


def test_labels_from_one_without_a_mapping(tmp_path):
    write_set(tmp_path, labels=(1, 2, 3))

    assert "they count from 1: subtract 1, in all parts, or put a mapping.txt beside them" in error_of(
        f"idx:{tmp_path}"
    )
    (tmp_path / "mapping.txt").write_text("1 65\n2 66\n3 67\n")
    assert load_dataset(f"idx:{tmp_path}").classes == ("A", "B", "C")


def test_letters_label_zero(tmp_path):
    write_set(tmp_path, "emnist-letters-train", "emnist-letters-test", labels=range(27))

    assert "labels must be from 1 to 26" in error_of(f"idx:{tmp_path}")


@pytest.mark.parametrize("suffix", [".gz", ""])
@pytest.mark.parametrize("part", ["images-idx3", "labels-idx1"])
def test_file_cut_anywhere(tmp_path, suffix, part):
    write_set(tmp_path, suffix=suffix)
    path = tmp_path / f"train-{part}-ubyte{suffix}"
    whole = path.read_bytes()

    for eighth in range(8):
        path.write_bytes(whole[: len(whole) * eighth // 8])
        message = error_of(f"idx:{tmp_path}")
        assert str(path) in message
        assert "again" in message or "right file" in message


def test_file_flipped_byte(tmp_path):
    write_set(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)

    assert f"{path} is corrupt" in error_of(f"idx:{tmp_path}")


def test_checksum_of_gzip_counts(tmp_path):
    write_set(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[-8] ^= 0xFF  # the stored CRC, after the last pixel
    path.write_bytes(content)

    assert f"{path} is corrupt (CRC check failed" in error_of(f"idx:{tmp_path}")


def test_file_with_more_than_announced(tmp_path):
    write_set(tmp_path, suffix="")
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes() + b"\0")

    assert error_of(f"idx:{tmp_path}") == f"{path} is longer than its header says; fetch or copy it again"


def test_header_with_absurd_sizes(tmp_path):
    write_set(tmp_path, suffix="")
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(b"\0\0\x08\x01\xff\xff\xff\xff")

    assert "its header promises 4,294,967,295 bytes" in error_of(f"idx:{tmp_path}")


def test_empty_file(tmp_path):
    write_set(tmp_path)
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(b"")

    assert error_of(f"idx:{tmp_path}") == f"{path} is empty; fetch or copy it again"


def test_images_where_labels_belong(tmp_path):
    write_set(tmp_path, suffix="")
    path = tmp_path / "train-labels-idx1-ubyte"
    (tmp_path / "train-images-idx3-ubyte").replace(path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"<!DOCTYPE html>")

    assert error_of(f"idx:{tmp_path}") == (
        f"an IDX file of labels must begin with 0x00000801, but {path} begins with 0x00000803 (IDX images); "
        "put the right file in its place"
    )


def test_web_page_instead_of_a_file(tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"<!DOCTYPE html>")

    assert "begins with 0x3c21444f (something else)" in error_of(f"idx:{tmp_path}")


def test_counts_that_differ(tmp_path):
    write_set(tmp_path, suffix="")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(pictures(11)))

    assert error_of(f"idx:{tmp_path}") == (
        f"images and labels must be as many, but {tmp_path}/train-images-idx3-ubyte has 11 images and its "
        "labels file 12 labels; fetch or copy both files again"
    )


def test_test_images_of_another_size(tmp_path):
    write_set(tmp_path, suffix="")
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((12, 5, 5))))

    assert "training images are 6×4×1 and test images 5×5×1" in error_of(f"idx:{tmp_path}")


def test_labels_file_missing(tmp_path):
    write_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()

    assert f"{tmp_path} lacks t10k-labels-idx1-ubyte" in error_of(f"idx:{tmp_path}")


def test_no_test_part(tmp_path):
    write_set(tmp_path)
    for path in tmp_path.glob("t10k*"):
        path.unlink()

    data = load_dataset(f"idx:{tmp_path}")

    assert data.test_images.shape == (0, HEIGHT, WIDTH, 1)
    assert data.test_labels.shape == (0,)


def test_folder_without_a_set(tmp_path):
    assert "holds no IDX training images" in error_of(f"idx:{tmp_path}")
    assert "is none; check the path" in error_of(f"idx:{tmp_path / 'missing'}")


def test_folder_with_two_sets(tmp_path):
    write_emnist(tmp_path, "digits")
    write_emnist(tmp_path, "letters")

    assert "holds EMNIST's digits, letters; use `emnist-digits`" in error_of(f"idx:{tmp_path}")


def test_emnist_not_on_this_machine(tmp_path):
    assert error_of("emnist-balanced", data_folder=tmp_path) == (
        f"emnist-balanced is not on this machine (looked in {tmp_path} and the folders in it). Fetch it with "
        "`hpsearch data fetch emnist-balanced`, or download https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip "
        f"(562 MB) and put it there as {tmp_path}/gzip.zip; another folder is named by $HPSEARCH_DATA. "
        "Without a download: `--data mnist-5k`"
    )


def test_zip_that_is_none(tmp_path):
    (tmp_path / "gzip.zip").write_bytes(b"<html>")

    message = error_of("emnist-balanced", data_folder=tmp_path)

    assert message.startswith(f"{tmp_path}/gzip.zip is no readable zip archive")


def test_too_few_images_of_a_class(tmp_path):
    write_set(tmp_path, suffix="")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.array([0] * 6 + [1] * 5 + [2])))

    assert error_of(f"idx:{tmp_path}") == (
        "each class needs two training images or more, one of them for validation, but these have fewer: "
        "'2' (1); add images, or remove the class"
    )
