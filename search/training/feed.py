"""The path of the images from memory into the training step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from search.training.augment import AUGMENTATIONS
from search.training.course import Stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TrainingFeed:
    """Batches of one stretch: shuffled by index, the images stay where they are, as uint8.

    The order, and what augmentation does to each image, follow from seed, epoch and step alone:
    a trial that is continued, in the middle of an epoch too, sees what it would have seen. The
    last batch of an epoch may be smaller than the others.
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
        if augment not in AUGMENTATIONS:
            allowed = ", ".join(AUGMENTATIONS)
            raise ValueError(f"`augment` must be one of {allowed}, but got {augment!r}")
        self._images = images
        self._labels = labels
        self._indices = indices
        self._batch_size = batch_size
        self._seed = seed
        self._augment = AUGMENTATIONS[augment]
        self.start(Stretch(epoch=0, first=0, last=-(-len(indices) // batch_size)))

    @property
    def num_batches(self) -> int:
        """Steps in the stretch."""
        return self._stretch.n_steps

    def start(self, stretch: Stretch) -> None:
        """Give the batches of `stretch` from now on."""
        self._stretch = stretch
        self._order = np.random.default_rng([self._seed, stretch.epoch]).permutation(self._indices)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Images and labels of the stretch's batch `index`."""
        step = self._stretch.first + index
        chosen = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        images = self._images[chosen]
        if self._augment is not None:
            images = self._augment(images, np.random.default_rng([self._seed, self._stretch.epoch, step]))
        return images, self._labels[chosen]
