from __future__ import annotations

import numpy as np
import pytest

from search.training.course import Stretch
from search.training.feed import TrainingFeed

IMAGES = np.arange(50, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), dtype=np.uint8)
LABELS = np.arange(50, dtype=np.int64)
CHOSEN = np.arange(5, 48, dtype=np.int64)


def feed(seed=1, augment="none"):
    return TrainingFeed(IMAGES, LABELS, CHOSEN, batch_size=10, seed=seed, augment=augment)


def epoch_of(one, epoch, first=0, last=5):
    one.start(Stretch(epoch=epoch, first=first, last=last))
    batches = [one[index] for index in range(one.num_batches)]
    return [len(labels) for _, labels in batches], np.concatenate([labels for _, labels in batches])


def test_epoch_has_each_image_once():
    sizes, labels = epoch_of(feed(), 0)

    assert sizes == [10, 10, 10, 10, 3]
    assert sorted(labels) == list(CHOSEN)


def test_images_stay_with_their_labels():
    images, labels = feed()[0]

    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images[:, 0, 0, 0], labels)


def test_order_follows_seed_and_epoch():
    first, second, other = epoch_of(feed(), 0)[1], epoch_of(feed(), 1)[1], epoch_of(feed(seed=2), 0)[1]

    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(epoch_of(feed(), 1)[1], second)


def test_augmentation_follows_seed_epoch_and_batch():
    one, other = feed(augment="shift_rotate"), feed(augment="shift_rotate")
    one.start(Stretch(epoch=3, first=0, last=5))
    other.start(Stretch(epoch=3, first=1, last=5))
    other[2]  # batches may be asked for in any order

    np.testing.assert_array_equal(one[1][0], other[0][0])


def test_stretches_of_an_epoch_are_the_epoch():
    sizes, labels = epoch_of(feed(), 2)
    begun, left = epoch_of(feed(), 2, last=3), epoch_of(feed(), 2, first=3)

    assert begun[0] + left[0] == sizes
    np.testing.assert_array_equal(np.concatenate([begun[1], left[1]]), labels)


def test_unknown_augmentation_is_refused():
    with pytest.raises(ValueError, match=r"`augment` must be one of none, shift_rotate, but got 'mixup'"):
        feed(augment="mixup")
