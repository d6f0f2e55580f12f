from __future__ import annotations

import importlib
import inspect

import keras
import numpy as np
import pytest
from models_points import CLASSES, point, some_images

from search.training.models import ModelError, build_model
from search.training.models.architectures import ARCHITECTURES
from search.training.models.preprocessing import build_preprocessing
from search.training.models.ranges import CENTRED, LECUN, RAW, STANDARDISED, SYMMETRIC

IN_KERAS = sorted(set(ARCHITECTURES) - {"LeNet5", "ShortResNet"})


def preprocessed(images: np.ndarray, side: int, input_range=RAW, *, colour: bool = False) -> np.ndarray:
    model = build_preprocessing(images.shape[1:], side, input_range, colour=colour)
    assert model.count_params() == 0
    return np.asarray(model(images))


def test_margins_keep_pixels():
    images = some_images(2, 28, 28, 1)

    result = preprocessed(images, 32)

    assert result.shape == (2, 32, 32, 1)
    np.testing.assert_array_equal(result[:, 2:30, 2:30], images)
    assert result.sum() == images.sum()


def test_image_of_right_size_is_unchanged():
    images = some_images(2, 28, 28, 3)

    np.testing.assert_array_equal(preprocessed(images, 28), images)


def test_much_larger_side_resizes():
    images = np.full((1, 28, 28, 1), 200, dtype=np.uint8)

    result = preprocessed(images, 75)

    np.testing.assert_allclose(result, np.full((1, 75, 75, 1), 200.0), rtol=1e-6)


def test_resizing_keeps_fractions_of_grey():
    images = np.zeros((1, 8, 8, 1), dtype=np.uint8)
    images[:, :, 4:] = 1

    result = preprocessed(images, 16)

    assert np.any((result > 0.1) & (result < 0.9))


def test_shrinking_smooths():
    stripes = np.zeros((1, 64, 64, 1), dtype=np.uint8)
    stripes[:, :, ::4] = 255  # plain bilinear sampling would miss them

    middle = preprocessed(stripes, 16)[0, 4:12, 4:12, 0]

    np.testing.assert_allclose(middle, 255 / 4, rtol=0.05)


def test_oblong_image_keeps_its_proportions():
    images = np.full((1, 20, 40, 1), 100, dtype=np.uint8)

    result = preprocessed(images, 80)[0, :, :, 0]

    assert result.shape == (80, 80)
    np.testing.assert_allclose(result[25:55], 100, rtol=1e-6)
    np.testing.assert_array_equal(result[:15], 0)
    np.testing.assert_array_equal(result[65:], 0)


def test_grey_becomes_three_equal_channels():
    images = some_images(2, 28, 28, 1)

    result = preprocessed(images, 28, colour=True)

    np.testing.assert_array_equal(result, np.repeat(images, 3, axis=-1))


def test_four_channels_are_refused():
    with pytest.raises(ModelError, match=r"1 channel \(grey\) or 3 \(colour\), but these have 4"):
        build_preprocessing((28, 28, 4), 32, RAW, colour=True)


@pytest.mark.parametrize(
    ("input_range", "black", "white"),
    [
        (RAW, [0, 0, 0], [255, 255, 255]),
        (SYMMETRIC, [-1, -1, -1], [1, 1, 1]),
        (STANDARDISED, [-2.118, -2.036, -1.804], [2.249, 2.429, 2.640]),
        (CENTRED, [-123.68, -116.779, -103.939], [131.32, 138.221, 151.061]),
        (LECUN, [-0.1, -0.1, -0.1], [1.175, 1.175, 1.175]),
    ],
)
def test_range_of_black_and_white(input_range, black: list[float], white: list[float]):
    images = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    images[1] = 255

    result = preprocessed(images, 8, input_range)

    np.testing.assert_allclose(result[0, 4, 4], black, atol=1e-3)
    np.testing.assert_allclose(result[1, 4, 4], white, atol=1e-3)


@pytest.mark.parametrize("architecture", IN_KERAS)
def test_range_equals_preprocess_input_of_keras(architecture: str):
    """Every family's own `preprocess_input` is the reference; two of them turn the channels round."""
    family = importlib.import_module(inspect.getmodule(getattr(keras.applications, architecture)).__name__)
    images = some_images(2, 32, 32, 3)
    expected = family.preprocess_input(images.astype(np.float32))
    if ARCHITECTURES[architecture].input_range is CENTRED:
        expected = expected[..., ::-1]

    result = preprocessed(images, 32, ARCHITECTURES[architecture].input_range)

    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-4)


# What reaches the first convolution: everything that the model does by itself included.
STANDARD = ([-2.118, -2.036, -1.804], [2.249, 2.429, 2.640])
SYMMETRY = ([-1, -1, -1], [1, 1, 1])
CENTRE = ([-123.68, -116.779, -103.939], [131.32, 138.221, 151.061])
FIRST_CONVOLUTION = {
    "ConvNeXtTiny": STANDARD,
    "DenseNet121": STANDARD,
    "EfficientNetB0": ([0, 0, 0], [1, 1, 1]),
    "EfficientNetV2B0": STANDARD,
    "EfficientNetV2S": ([-1, -1, -1], [0.9922, 0.9922, 0.9922]),
    "InceptionResNetV2": SYMMETRY,
    "InceptionV3": SYMMETRY,
    "LeNet5": ([-0.1], [1.175]),
    "MobileNet": SYMMETRY,
    "MobileNetV2": SYMMETRY,
    "MobileNetV3Small": SYMMETRY,
    "NASNetMobile": SYMMETRY,
    "ResNet50": CENTRE,
    "ResNet50V2": SYMMETRY,
    "ShortResNet": STANDARD,
    "VGG16": CENTRE,
    "VGG19": CENTRE,
    "Xception": SYMMETRY,
}
QUICK = {"EfficientNetV2B0", "LeNet5", "MobileNetV3Small", "ShortResNet", "VGG16"}


@pytest.mark.parametrize(
    "architecture",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FIRST_CONVOLUTION],
)
def test_first_convolution_sees_expected_range(architecture: str):
    # Larger than any backbone needs, so that no margin is in the middle.
    model = build_model(point(architecture, image_size=80), (80, 80, 1), CLASSES)
    images = np.stack([np.zeros((80, 80, 1)), np.full((80, 80, 1), 255)]).astype(np.uint8)

    seen = first_convolution_input(model, images)

    black, white = FIRST_CONVOLUTION[architecture]
    middle = seen.shape[1] // 2
    np.testing.assert_allclose(seen[0, middle, middle], black, atol=1e-3)
    np.testing.assert_allclose(seen[1, middle, middle], white, atol=1e-3)


def first_convolution_input(model: keras.Model, images: np.ndarray) -> np.ndarray:
    backbone = model.get_layer("backbone")
    # ConvNeXt wraps its first convolution into a Sequential.
    kinds = (keras.layers.Conv2D, keras.Sequential)
    first = next(layer for layer in backbone.layers if isinstance(layer, kinds))
    until = keras.Model(backbone.inputs, first.input)
    return np.asarray(until(model.get_layer("preprocessing")(images)))


@pytest.mark.parametrize(
    ("architecture", "image_size", "side"),
    [("VGG16", 28, 32), ("VGG16", 32, 32), ("LeNet5", 64, 64), ("LeNet5", 28, 32)],
)
def test_image_is_raised_to_smallest_side(architecture: str, image_size: int, side: int):
    model = build_model(point(architecture, image_size=image_size), (28, 28, 1), CLASSES)

    channels = 1 if architecture == "LeNet5" else 3
    assert model.get_layer("preprocessing").output.shape == (None, side, side, channels)


@pytest.mark.parametrize("architecture", IN_KERAS)
def test_smallest_side_equals_that_of_keras(architecture: str):
    """One pixel less, and Keras refuses the size before it builds a single layer."""
    side = ARCHITECTURES[architecture].smallest_side - 1
    application = getattr(keras.applications, architecture)

    with pytest.raises(ValueError, match="Input size must be at least"):
        application(weights=None, include_top=False, input_shape=(side, side, 3))
