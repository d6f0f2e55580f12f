from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from models_points import CLASSES, IMAGE_SHAPE, point, some_images

from search.training.models import ModelError, build_model

# TensorFlow's variables do not know NumPy 2's `copy` yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

GOOD = """
import keras

def build(input_shape, hyperparameters):
    images = keras.Input(input_shape)
    maps = keras.layers.Conv2D(hyperparameters.head_width, 3, activation="relu")(images)
    return keras.Model(images, maps)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "builders"
    folder.mkdir()
    (folder / "mine.py").write_text(GOOD)
    return folder


def build(architecture: str, folder: Path | None, **values: object) -> keras.Model:
    hp = point("LeNet5", image_size=28, head_width=8, **values)
    hp = type(hp).from_dict({**vars(hp), "architecture": architecture})
    return build_model(hp, IMAGE_SHAPE, CLASSES, str(folder) if folder else None)


def refusal(architecture: str, folder: Path | None) -> str:
    with pytest.raises(ModelError) as caught:
        build(architecture, folder)
    return str(caught.value)


def refusal_of(folder: Path, source: str) -> str:
    (folder / "bad.py").write_text("import keras\n" + source)
    return refusal("bad:build", folder)


def test_own_network_gets_head(folder: Path):
    path = list(sys.path)

    model = build("mine:build", folder)

    assert np.asarray(model(some_images())).shape == (2, CLASSES)
    assert model.get_layer("backbone").input.shape == (None, 28, 28, 1)
    assert model.get_layer("backbone").output.shape == (None, 26, 26, 8)
    assert sys.path == path


def test_own_network_sees_minus_one_to_one(folder: Path):
    model = build("mine:build", folder)
    images = np.stack([np.zeros(IMAGE_SHAPE), np.full(IMAGE_SHAPE, 255)]).astype(np.uint8)

    seen = np.asarray(model.get_layer("preprocessing")(images))

    assert seen[0].min() == seen[0].max() == -1
    assert seen[1].min() == seen[1].max() == 1


def test_own_network_loads_with_plain_keras(folder: Path, tmp_path: Path):
    model = build("mine:build", folder)

    model.save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(some_images())), np.asarray(model(some_images())))


def test_own_network_may_give_vectors(folder: Path):
    (folder / "vectors.py").write_text(
        "import keras\n"
        "def build(input_shape, hyperparameters):\n"
        "    layers = keras.layers\n"
        "    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(5)])\n"
    )

    model = build("vectors:build", folder)

    assert model.get_layer("dense_1").input.shape == (None, 5)


def test_own_network_may_be_one_of_keras(folder: Path):
    (folder / "tiny.py").write_text(
        "import keras\n"
        "def build(input_shape, hyperparameters):\n"
        "    image = keras.Input(input_shape)\n"
        "    x = keras.layers.ZeroPadding2D(2)(image)\n"
        "    x = keras.layers.Conv2D(3, 1)(x)\n"
        "    x = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3))(x)\n"
        "    return keras.Model(image, keras.ops.relu(x))\n"
    )

    assert np.isfinite(np.asarray(build("tiny:build", folder)(some_images()))).all()


def test_example_of_docs(folder: Path):
    text = (Path(__file__).parents[2] / "docs" / "architectures.md").read_text()
    (folder / "small.py").write_text(text.partition("```python\n")[2].partition("```")[0])

    assert build("small:build", folder).get_layer("backbone").output.shape == (None, 13, 13, 32)


def test_builder_imports_its_neighbour(folder: Path):
    (folder / "parts.py").write_text("FILTERS = 11\n")
    (folder / "whole.py").write_text(
        "import keras\nfrom .parts import FILTERS\n" + GOOD.replace("hyperparameters.head_width", "FILTERS")
    )

    assert build("whole:build", folder).get_layer("backbone").output.shape[-1] == 11


def test_changed_builder_is_loaded_afresh(folder: Path):
    build("mine:build", folder)
    (folder / "mine.py").write_text(GOOD.replace("hyperparameters.head_width", "2 * hyperparameters.head_width"))

    assert build("mine:build", folder).get_layer("backbone").output.shape[-1] == 16


def test_file_shadowed_by_folder_is_the_file(folder: Path):
    (folder / "mine").mkdir()
    (folder / "mine" / "__init__.py").write_text("raise RuntimeError('the wrong one')\n")

    assert build("mine:build", folder).get_layer("backbone").output.shape[-1] == 8


def test_builder_without_folder_is_refused():
    assert refusal("mine:build", None) == (
        "`module:function` is allowed only where the space file names a folder of builders, "
        "but got 'mine:build': add `builders: FOLDER`"
    )


@pytest.mark.parametrize("name", ["../mine:build", "os.path:join", "mine:build:x", "mine:", ":build", "mine:class"])
def test_builder_of_no_plain_name_is_refused(folder: Path, name: str):
    assert refusal(name, folder).startswith("a builder must be `module:function`, two plain Python names, but got")


def test_installed_module_is_refused(folder: Path):
    assert refusal("os:system", folder) == (
        f"a builder must be a Python file in {folder.resolve()}, but there is no os.py"
    )


def test_link_out_of_folder_is_refused(folder: Path):
    outside = folder.parent / "outside.py"
    outside.write_text(GOOD)
    (folder / "linked.py").symlink_to(outside)

    assert refusal("linked:build", folder) == (
        f"a builder's file must lie in {folder.resolve()}, but linked.py leads to {outside.resolve()}"
    )


@pytest.mark.parametrize("name", ["missing", "__name__"])
def test_what_is_no_function_is_refused(folder: Path, name: str):
    assert refusal(f"mine:{name}", folder) == (
        f"a builder must be a function, but {folder.resolve() / 'mine.py'} has none named {name!r}"
    )


@pytest.mark.parametrize("raised", ["ValueError('no luck')", "SystemExit('no luck')"])
def test_failing_builder_is_named(folder: Path, raised: str):
    message = refusal_of(folder, f"def build(input_shape, hyperparameters):\n    raise {raised}\n")

    kind = raised.partition("(")[0]
    assert message == f"the builder bad:build failed with {kind}: no luck"


def test_module_that_does_not_compile_is_refused(folder: Path):
    assert refusal_of(folder, "def build(:\n").startswith("the builder bad:build failed with SyntaxError")


WRONG = {
    "nothing": ("return None", "but returned NoneType"),
    "input of another shape": (
        "return keras.Sequential([keras.Input((5, 5, 1)), keras.layers.Flatten()])",
        "for images of (28, 28, 1), but it takes (5, 5, 1)",
    ),
    "unbuilt": (
        "return keras.Sequential([keras.layers.Flatten()])",
        "with one input and one output, but it has 0 and 0",
    ),
    "two outputs": (
        "x = keras.Input(input_shape); y = keras.layers.Flatten()(x); return keras.Model(x, [y, y])",
        "with one input and one output, but it has 1 and 2",
    ),
    "sequence": (
        "return keras.Sequential([keras.Input(input_shape), keras.layers.Reshape((28, 28))])",
        "with an output of fixed shape (n, f) or (n, h, w, c), but it is (None, 28, 28)",
    ),
    "lambda layer": (
        "return keras.Sequential([keras.Input(input_shape), keras.layers.Lambda(lambda x: x)])",
        "so that it can be loaded anywhere, but it holds 'Lambda'",
    ),
    "own layer": (
        "return keras.Sequential([keras.Input(input_shape), Own(), keras.layers.Flatten()])",
        "so that it can be loaded anywhere, but it holds 'Own'",
    ),
    "own registered layer": (
        "return keras.Sequential([keras.Input(input_shape), Registered(), keras.layers.Flatten()])",
        "so that it can be loaded anywhere, but it holds 'Registered'",
    ),
    "own activation": (
        "return keras.Sequential([keras.Input(input_shape), keras.layers.Activation(own)])",
        "so that it can be loaded anywhere, but it holds 'own'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_result_is_refused(folder: Path, case: str):
    body, message = WRONG[case]

    refused = refusal_of(
        folder,
        "class Own(keras.layers.Layer):\n    def call(self, x):\n        return x\n"
        "@keras.saving.register_keras_serializable()\n"
        "class Registered(keras.layers.Layer):\n    def call(self, x):\n        return x\n"
        "def own(x):\n    return x\n"
        f"def build(input_shape, hyperparameters):\n    {body}\n",
    )

    assert refused.startswith("a builder must return a functional keras.Model ")
    assert refused.endswith(f"{message} (from bad:build)")
