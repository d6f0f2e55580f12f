"""Real EMNIST images, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.training.data.dataset import Dataset, load_dataset
from search.training.data.emnist import SPLITS
from search.training.data.sources import list_sources

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DATA / "emnist-sample").is_dir(), reason=f"no EMNIST sample at {DATA / 'emnist-sample'}"
)


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return load_dataset("emnist-balanced", data_folder=DATA)


def mean_picture(sample: Dataset, name: str) -> np.ndarray:
    return sample.images[sample.labels == sample.classes.index(name), :, :, 0].mean(0)


def test_sample_parts(sample):
    assert sample.image_shape == (28, 28, 1)
    assert sample.classes == SPLITS["balanced"].classes
    assert np.bincount(sample.labels).tolist() == [320] * 47
    assert np.bincount(sample.labels[sample.validation]).tolist() == [32] * 47
    assert np.bincount(sample.test_labels).tolist() == [80] * 47


def test_sample_stands_upright(sample):
    letter_t = mean_picture(sample, "T")  # has its bar at the top
    assert letter_t[4:9].mean() > 1.3 * letter_t[:, 4:9].mean()
    assert letter_t[4:9].mean() > 1.3 * letter_t[19:24].mean()
    letter_b = mean_picture(sample, "b")[:12]  # has its stroke at the left
    assert letter_b[:, :14].sum() > 1.3 * letter_b[:, 14:].sum()
    letter_d = mean_picture(sample, "d")[:12]  # and this one at the right
    assert letter_d[:, 14:].sum() > 5 * letter_d[:, :14].sum()


def test_sample_by_folder_or_by_name(sample):
    by_path = load_dataset(f"idx:{DATA / 'emnist-sample'}")

    assert by_path.fingerprint == sample.fingerprint
    assert by_path.source == f"idx:{DATA / 'emnist-sample'}"


def test_sample_in_the_list():
    row = next(row for row in list_sources(DATA) if row.source == "emnist-balanced")

    assert (row.n_train, row.n_test, row.n_classes, row.on_disk) == (15_040, 3_760, 47, True)
    assert row.place == str(DATA / "emnist-sample")
