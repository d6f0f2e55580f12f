"""Names of sources, the list of them, and where paths lead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from search.data import summary
from search.training.data.dataset import load_dataset
from search.training.data.emnist import default_data_folder
from search.training.data.errors import DataError
from search.training.data.keras_sets import CLASSES
from search.training.data.sources import BUNDLED, EMNIST, KERAS, absolute_source, check_name, list_sources
from search.training.messages import DataLoaded


@pytest.mark.parametrize("source", [BUNDLED, *EMNIST, *KERAS, "idx:a", "folder:~/b", "npz:c d.npz"])
def test_names_there_are(source):
    check_name(source)


def test_name_misspelt():
    with pytest.raises(DataError) as caught:
        check_name("emnist-balancd")

    assert str(caught.value) == (
        "a data source must be mnist-5k, emnist-{balanced,byclass,bymerge,letters,digits,mnist}, idx:FOLDER, "
        "folder:PATH, npz:FILE or keras:mnist, keras:fashion_mnist, keras:cifar10, keras:cifar100, "
        "but got 'emnist-balancd'; did you mean 'emnist-balanced'?"
    )


@pytest.mark.parametrize("source", ["", "idx", "http://host/x", "keras:imagenet", "emnist-", "mnist-5k:x"])
def test_names_there_are_not(source):
    with pytest.raises(DataError, match="a data source must be"):
        load_dataset(source)


def test_path_missing_after_the_kind():
    with pytest.raises(DataError, match=r"idx: must be followed by a path, but got 'idx:'; write idx:FOLDER"):
        load_dataset("idx:")


@pytest.mark.parametrize(
    ("source", "absolute"),
    [
        ("mnist-5k", "mnist-5k"),
        ("keras:mnist", "keras:mnist"),
        ("idx:../x", "idx:/data/x"),
        ("npz:a:b.npz", "npz:/data/of/a:b.npz"),
        ("folder:/data/x/", "folder:/data/x"),
        ("idx:~/x", f"idx:{Path.home()}/x"),
    ],
)
def test_absolute_source(source, absolute):
    assert absolute_source(source, Path("/data/of")) == absolute


def test_dataset_names_the_absolute_source(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", images=np.zeros((8, 2, 2), np.uint8), labels=np.arange(8) % 2)
    monkeypatch.chdir(tmp_path)

    assert load_dataset("npz:a.npz", validation=0.5).source == f"npz:{tmp_path}/a.npz"


def test_data_folder_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HPSEARCH_DATA", str(tmp_path))
    assert default_data_folder() == tmp_path
    monkeypatch.delenv("HPSEARCH_DATA")
    assert default_data_folder() == Path.home() / ".cache" / "hpsearch"


def test_list_of_sources(tmp_path):
    rows = {row.source: row for row in list_sources(tmp_path)}

    assert rows["mnist-5k"].on_disk
    assert rows["emnist-byclass"].n_train + rows["emnist-byclass"].n_test == 814_255
    assert not rows["emnist-byclass"].on_disk
    assert rows["emnist-byclass"].place == "hpsearch data fetch emnist-byclass"
    assert {"idx:FOLDER", "folder:PATH", "npz:FILE", "keras:cifar10"} <= set(rows)


def test_list_shows_a_damaged_archive(tmp_path):
    (tmp_path / "gzip.zip").write_bytes(b"<html>")

    rows = {row.source: row for row in list_sources(tmp_path)}

    assert not rows["emnist-digits"].on_disk
    assert f"{tmp_path}/gzip.zip is no readable zip archive" in rows["emnist-digits"].place


def test_keras_classes():
    assert set(KERAS) == {f"keras:{name}" for name in CLASSES}
    assert [len(names) for names in CLASSES.values()] == [10, 10, 10, 100]
    assert list(CLASSES["cifar100"]) == sorted(set(CLASSES["cifar100"]))


def test_data_without_keras():
    program = (
        "import sys; from search.training.data.dataset import load_dataset; load_dataset('mnist-5k');"
        "import search.training.data.fetch;"
        "print([name for name in ('keras', 'tensorflow', 'optuna', 'PIL', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("has_own", "end"),
    [(False, "images of 28×28×1"), (True, "; the validation part is the source's own, none is cut from training")],
)
def test_summary_says_whose_the_validation_part_is(has_own, end):
    data = DataLoaded(
        source="npz:/a.npz", fingerprint="ab", image_shape=(28, 28, 1), classes=["a", "b"],
        n_train=1600, n_validation=40, n_test=0, has_own_validation=has_own,
    )  # fmt: skip

    text = summary(data)

    assert text.startswith("npz:/a.npz: 2 classes, 1,600 training, 40 validation and 0 test images of 28×28×1")
    assert text.endswith(end)
