"""A data set in memory, cut into training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.training.data.emnist import default_data_folder
from search.training.data.fingerprint import fingerprint
from search.training.data.parts import Images, Labels
from search.training.data.sources import absolute_source, read_source
from search.training.data.split import Indices, cut


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, and which of them are for what. The arrays are read-only."""

    source: str
    """As in a space file, with an absolute path."""
    images: Images
    """Training and validation images, uint8 of shape (n, height, width, channels)."""
    labels: Labels
    """Their labels, int64 of shape (n,), each an index into `classes`."""
    test_images: Images
    """Empty (0, height, width, channels) where the source has no test part."""
    test_labels: Labels
    classes: tuple[str, ...]
    """Name of each class, in label order."""
    train: Indices
    """Ascending positions in `images`, int64."""
    validation: Indices
    """As `train`, and disjoint from it; with a train limit the two do not cover all images."""
    has_own_validation: bool
    """Whether the source brings its validation part; else it was cut from the training part."""
    fingerprint: str
    """sha256 (hex) over the images, labels and classes of all parts."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        height, width, channels = self.images.shape[1:]
        return height, width, channels


def load_dataset(
    source: str,
    validation: float = 0.1,
    train_limit: int | None = None,
    seed: int = 0,
    data_folder: str | Path | None = None,
) -> Dataset:
    """Read a source into memory and cut its validation part, unless the source brings one.

    Args:
        source: as in a space file; relative paths count from the current folder.
        validation: share of the training part for validation, in (0, 1): stratified, at least one image of a class;
            not used where the source brings a validation part.
        train_limit: training images at most (stratified), after the validation part is cut; None for all.
        seed: decides which images go to validation, and which are kept under a train limit.
        data_folder: where EMNIST is looked for; None for `$HPSEARCH_DATA`, else `~/.cache/hpsearch`.

    Raises:
        DataError: if the source cannot be used; the message names the file, what is wrong, and the cure.
    """
    folder = default_data_folder() if data_folder is None else Path(data_folder)
    parts = read_source(source, folder)
    train, held_out = cut(
        parts.labels,
        parts.classes,
        validation=validation,
        train_limit=train_limit,
        seed=seed,
        n_own=parts.n_validation,
    )
    for array in (parts.images, parts.labels, parts.test_images, parts.test_labels, train, held_out):
        # One data set serves many trials: none of them may change it for the next.
        array.setflags(write=False)
    return Dataset(
        source=absolute_source(source, Path.cwd()),
        images=parts.images,
        labels=parts.labels,
        test_images=parts.test_images,
        test_labels=parts.test_labels,
        classes=parts.classes,
        train=train,
        validation=held_out,
        has_own_validation=parts.n_validation > 0,
        fingerprint=fingerprint(parts, train, held_out),
    )


def describe(data: Dataset) -> dict[str, Any]:
    """What `DataLoaded` says of a data set, as a plain mapping of the same names."""
    return {
        "source": data.source,
        "fingerprint": data.fingerprint,
        "image_shape": data.image_shape,
        "classes": list(data.classes),
        "n_train": len(data.train),
        "n_validation": len(data.validation),
        "n_test": len(data.test_labels),
        "has_own_validation": data.has_own_validation,
    }
