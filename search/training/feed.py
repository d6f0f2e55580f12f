"""The path of the images from memory into the training step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from search.training.augment import AUGMENTATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TrainingFeed(keras.utils.PyDataset):
    """Batches of one epoch: shuffled by index, the images stay where they are, as uint8.

    The order, and what augmentation does to each image, follow from seed, epoch and batch alone:
    a trial that is continued sees what it would have seen. The last batch of an epoch may be
    smaller than the others.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        indices: NDArray[np.int64],
        *,
        batch_size: int,
        seed: int,
        augment: str = "none",
    ) -> None:
        """Feed `images[indices]` of shape (n, height, width, channels) and their labels.

        Raises:
            ValueError: if `augment` is none that is known.
        """
        super().__init__()
        if augment not in AUGMENTATIONS:
            allowed = ", ".join(AUGMENTATIONS)
            raise ValueError(f"`augment` must be one of {allowed}, but got {augment!r}")
        self._images = images
        self._labels = labels
        self._indices = indices
        self._batch_size = batch_size
        self._seed = seed
        self._augment = AUGMENTATIONS[augment]
        self.start_epoch(0)

    @property
    def num_batches(self) -> int:
        """Steps in an epoch."""
        return -(-len(self._indices) // self._batch_size)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for epoch `epoch`, counted from 0."""
        self._epoch = epoch
        self._order = np.random.default_rng([self._seed, epoch]).permutation(self._indices)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Images and labels of batch `index`."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        images = self._images[chosen]
        if self._augment is not None:
            images = self._augment(images, np.random.default_rng([self._seed, self._epoch, index]))
        return images, self._labels[chosen]
