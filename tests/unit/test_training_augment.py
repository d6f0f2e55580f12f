from __future__ import annotations

import numpy as np
import pytest

from search.training.augment import shift_rotate


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (16, 28, 20, 3), dtype=np.uint8)


def test_images_keep_shape_and_type(images):
    changed = shift_rotate(images, np.random.default_rng(1))

    assert (changed.shape, changed.dtype) == (images.shape, np.uint8)
    assert (changed != images).any(axis=(1, 2, 3)).all()


def test_same_generator_gives_the_same_images(images):
    one, other = (shift_rotate(images, np.random.default_rng(1)) for _ in range(2))

    np.testing.assert_array_equal(one, other)


def test_even_image_stays_even():
    images = np.full((4, 28, 28, 1), 255, dtype=np.uint8)

    np.testing.assert_array_equal(shift_rotate(images, np.random.default_rng(1)), images)


def test_spot_moves_by_a_few_pixels_only():
    images = np.zeros((200, 29, 29, 1), dtype=np.uint8)
    images[:, 14, 14] = 255
    weights = shift_rotate(images, np.random.default_rng(1))[..., 0].astype(float)

    rows = (weights.sum(axis=2) * np.arange(29)).sum(axis=1) / weights.sum(axis=(1, 2))
    assert np.abs(rows - 14).max() < 0.08 * 29 + 0.25  # whole grey values shift the centre of mass a little
    assert np.abs(rows - 14).max() > 1.5


def test_rotation_turns_about_the_middle():
    images = np.zeros((200, 29, 29, 1), dtype=np.uint8)
    images[:, 14, :] = 255
    turned = shift_rotate(images, np.random.default_rng(1))[..., 0].astype(float)

    ends = [(turned[:, :, column] * np.arange(29)).sum(axis=1) / turned[:, :, column].sum(axis=1) for column in (1, 27)]
    slopes = np.rad2deg(np.arctan((ends[1] - ends[0]) / 26))
    assert 8.0 < np.abs(slopes).max() < 10.5
