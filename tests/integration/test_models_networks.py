from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from models_points import CLASSES, IMAGE_SHAPE, point, some_images

from search.training.models import ModelError, batch_norm_layers, build_model, is_normalised, to_probabilities
from search.training.models.architectures import ARCHITECTURES
from spaces import catalogue

# TensorFlow's variables do not know NumPy 2's `copy` yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

DOCS = Path(__file__).parents[2] / "docs" / "architectures.md"
SMALL = ["ConvNeXtTiny", "LeNet5", "MobileNet", "ShortResNet", "VGG16"]
SAVED = {
    *("ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "EfficientNetV2S", "InceptionResNetV2"),
    *("InceptionV3", "LeNet5", "MobileNet", "MobileNetV2", "MobileNetV3Small", "NASNetMobile", "ResNet50"),
    *("ResNet50V2", "ShortResNet", "VGG16", "Xception"),
}
"""The smallest of each family: the larger ones repeat its layers, and take a minute each to save and load."""


@pytest.fixture
def _forget_model():
    yield
    keras.utils.clear_session()


def test_architectures_are_all_of_keras():
    in_keras = {name for name in vars(keras.applications) if name[0].isupper()}

    assert set(ARCHITECTURES) == in_keras | {"LeNet5", "ShortResNet"}
    assert len(in_keras) == 40


def test_architectures_equal_catalogue():
    assert set(ARCHITECTURES) == set(catalogue.ARCHITECTURES)


@pytest.mark.parametrize("architecture", SMALL)
def test_network_gives_finite_logits(architecture: str):
    assert_gives_logits(build_model(point(architecture), IMAGE_SHAPE, CLASSES))


@pytest.mark.slow
@pytest.mark.usefixtures("_forget_model")
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_network_can_be_built_and_its_family_saved(architecture: str, tmp_path: Path):
    model = build_model(point(architecture), IMAGE_SHAPE, CLASSES)

    assert_gives_logits(model)
    if architecture in SAVED:
        assert_survives_saving(model, tmp_path)
    backbone = model.get_layer("backbone")
    maps = "×".join(str(size) for size in backbone.output_shape[1:])
    assert row_of_docs(architecture)[3:5] == [maps, f"{backbone.count_params():,}"]


def test_docs_list_every_architecture_with_its_side():
    for name, architecture in ARCHITECTURES.items():
        assert row_of_docs(name)[2] == str(architecture.smallest_side)


def row_of_docs(architecture: str) -> list[str]:
    lines = DOCS.read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return next(row for row in rows if row[0] == architecture)


def assert_gives_logits(model: keras.Model) -> None:
    logits = np.asarray(model(some_images()))

    assert logits.shape == (2, CLASSES)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert isinstance(model.layers[-1], keras.layers.Dense)
    assert model.layers[-1].name == "logits"


def assert_survives_saving(model: keras.Model, folder: Path) -> None:
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")

    np.testing.assert_array_equal(np.asarray(loaded(some_images())), np.asarray(model(some_images())))


@pytest.mark.parametrize(
    ("head_layers", "width", "parameters"),
    [
        (2, 4096, 33_789_807),
        (2, 2048, 20_057_967),
        (2, 1024, 16_337_775),
        (2, 512, 15_264_111),
        (1, 512, 15_001_455),
    ],
)
def test_vgg16_has_parameters_of_diary(head_layers: int, width: int, parameters: int):
    hp = point("VGG16", head_layers=head_layers, head_width=width, dropout=0.5)

    assert build_model(hp, (32, 32, 3), CLASSES).count_params() == parameters


@pytest.mark.parametrize(("blocks", "features"), [(2, (8, 8, 128)), (3, (4, 4, 256)), (4, (2, 2, 512))])
@pytest.mark.parametrize("architecture", ["VGG16", "VGG19"])
def test_vgg_with_fewer_blocks(architecture: str, blocks: int, features: tuple[int, int, int]):
    model = build_model(point(architecture, blocks=blocks), IMAGE_SHAPE, CLASSES)

    backbone = model.get_layer("backbone")
    assert backbone.output_shape == (None, *features)
    assert sum(layer.name.endswith("_pool") for layer in backbone.layers) == blocks


def test_lenet_has_parameters_of_its_layers():
    hp = point("LeNet5", head_layers=1, head_width=84)

    # C1, C3 (1,516 in the paper, which leaves connections out), C5, F6, output
    assert build_model(hp, (32, 32, 1), 10).count_params() == 156 + 2416 + 48_120 + 10_164 + 850


def test_short_resnet_of_two_twos_is_resnet18():
    hp = point("ShortResNet", image_size=224, stages=4, blocks_per_stage=2, head_layers=0, head_pool="avg")

    model = build_model(hp, (224, 224, 3), 1000)

    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable == 11_689_512  # He and others, 2016; as counted in torchvision
    assert model.get_layer("backbone").output_shape == (None, 7, 7, 512)


@pytest.mark.parametrize(("stages", "blocks"), [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_short_resnet_grows_with_stages_and_blocks(stages: int, blocks: int):
    hp = point("ShortResNet", stages=stages, blocks_per_stage=blocks)

    model = build_model(hp, IMAGE_SHAPE, CLASSES)

    side = 2 ** (4 - stages)
    assert model.get_layer("backbone").output_shape == (None, side, side, 32 * 2**stages)
    additions = [layer for layer in model.get_layer("backbone").layers if isinstance(layer, keras.layers.Add)]
    assert len(additions) == stages * blocks


def test_bytes_and_floats_give_same_logits():
    model = build_model(point("LeNet5"), IMAGE_SHAPE, CLASSES)
    images = some_images()

    from_bytes = model.predict(images, verbose=0)

    np.testing.assert_array_equal(from_bytes, model.predict(images.astype(np.float32), verbose=0))


def test_head_without_dense_layers():
    model = build_model(point("LeNet5", head_layers=0, dropout=0.5), IMAGE_SHAPE, CLASSES)

    assert head_of(model) == ["pool", "dropout_last", "logits"]


def test_dropout_after_last_dense_layer():
    model = build_model(point("LeNet5", head_layers=3, dropout=0.5), IMAGE_SHAPE, CLASSES)

    assert head_of(model) == ["pool", "dense_1", "dense_2", "dense_3", "dropout_last", "logits"]


def test_dropout_after_each_dense_layer():
    model = build_model(point("LeNet5", head_layers=2, dropout=0.5, dropout_at="each"), IMAGE_SHAPE, CLASSES)

    assert head_of(model) == ["pool", "dense_1", "dropout_1", "dense_2", "dropout_last", "logits"]


def test_average_pooling_before_head():
    hp = point("VGG16", blocks=2, head_pool="avg")

    model = build_model(hp, IMAGE_SHAPE, CLASSES)

    assert model.get_layer("pool").output.shape == (None, 128)


def head_of(model: keras.Model) -> list[str]:
    assert [layer.name for layer in model.layers[:3]] == ["images", "preprocessing", "backbone"]
    return [layer.name for layer in model.layers[3:]]


@pytest.mark.parametrize("architecture", ["LeNet5", "MobileNet"])
def test_exported_network_loads_with_plain_keras(architecture: str, tmp_path: Path):
    model = to_probabilities(build_model(point(architecture), IMAGE_SHAPE, CLASSES))

    assert_survives_saving(model, tmp_path)


def test_probabilities_are_softmax_of_logits():
    model = build_model(point("LeNet5"), IMAGE_SHAPE, CLASSES)
    logits = np.asarray(model(some_images()), dtype=np.float64)

    probabilities = np.asarray(to_probabilities(model)(some_images()))

    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.BatchNormalization, True),
        (keras.layers.LayerNormalization, True),
        (keras.layers.Normalization, False),
    ],
)
def test_normalised_is_what_scales_its_own_signal(layer, expected):
    inner = keras.Sequential([keras.Input((4,)), layer()])

    assert is_normalised(keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])) is expected


def test_batch_norm_layers_inside_backbone_are_found():
    model = build_model(point("ShortResNet", stages=2, blocks_per_stage=1), IMAGE_SHAPE, CLASSES)

    names = [layer.name for layer in batch_norm_layers(model)]

    first = {"stem_bn", "stage1_block1_1_bn", "stage1_block1_2_bn"}
    second = {"stage2_block1_1_bn", "stage2_block1_2_bn", "stage2_block1_shortcut_bn"}
    assert len(names) == 6
    assert set(names) == first | second


def test_batch_norm_layers_of_network_without():
    assert batch_norm_layers(build_model(point("LeNet5"), IMAGE_SHAPE, CLASSES)) == ()


def test_batch_norm_layer_in_wrapper_is_found():
    wrapped, shared = keras.layers.BatchNormalization(), keras.layers.BatchNormalization()
    inputs = keras.Input((4, 3))
    outputs = keras.layers.TimeDistributed(wrapped)(shared(shared(inputs)))

    assert set(batch_norm_layers(keras.Model(inputs, outputs))) == {wrapped, shared}
    assert len(batch_norm_layers(keras.Model(inputs, outputs))) == 2


@pytest.mark.parametrize(
    ("architecture", "values", "message"),
    [
        (
            "VGG-16",
            {},
            "`architecture` must be one that is known, but is 'VGG-16': did you mean VGG16?",
        ),
        ("VGG16", {"blocks": 6}, "`blocks` of VGG16 must be 2 to 5, but is 6"),
        ("VGG19", {"blocks": None}, "`blocks` of VGG19 must be 2 to 5, but is None"),
        ("ShortResNet", {"stages": 0}, "`stages` of ShortResNet must be 1 to 4, but is 0"),
        ("ShortResNet", {"blocks_per_stage": 4}, "`blocks_per_stage` of ShortResNet must be 1 to 3, but is 4"),
        ("LeNet5", {"head_pool": "max"}, "`head_pool` must be one of flatten, avg, but is 'max'"),
        ("LeNet5", {"dropout_at": "first"}, "`dropout_at` must be one of last, each, but is 'first'"),
        ("LeNet5", {"head_layers": 4}, "`head_layers` must be 0 to 3, but is 4"),
        ("LeNet5", {"head_width": 0}, "`head_width` must be at least 1, but is 0"),
        ("LeNet5", {"dropout": 1.0}, "`dropout` must be at least 0 and below 1, but is 1.0"),
        ("LeNet5", {"image_size": 0}, "`image_size` must be at least 1 pixel, but is 0"),
    ],
)
def test_wrong_parameter_is_refused(architecture: str, values: dict[str, object], message: str):
    with pytest.raises(ModelError) as caught:
        build_model(point(architecture, **values), IMAGE_SHAPE, CLASSES)

    assert str(caught.value) == message


def test_single_class_is_refused():
    with pytest.raises(ModelError, match="needs at least 2 classes, but the data has 1"):
        build_model(point("LeNet5"), IMAGE_SHAPE, 1)
