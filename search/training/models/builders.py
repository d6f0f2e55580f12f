"""A user's own architectures: functions in a folder that the space file names."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from search.training.foreign import foreign_parts
from search.training.hyperparameters import Hyperparameters
from search.training.models.errors import ModelError
from search.training.models.shapes import Shape

_PACKAGE = "hpsearch_builders"


def is_builder(architecture: str) -> bool:
    """Whether the name means a user's function (`module:function`) and not a built-in architecture."""
    return ":" in architecture


def build_own(architecture: str, folder: str | None, input_shape: Shape, hp: Hyperparameters) -> keras.Model:
    """Call the user's `module:function` as `function(input_shape, hyperparameters)` and check what it gives.

    The module is loaded from `folder` alone, afresh each time; it may import its neighbours with
    `from .neighbour import …`. Nothing is added to `sys.path`.

    Args:
        architecture: `module:function`, two plain names.
        folder: the folder that the space file names under `builders`; None refuses every builder.
        input_shape: height, width and channels of the images it will see, with values of -1 to 1.
        hp: all parameters of the trial.

    Raises:
        ModelError: if the module is not a file in the folder, the function is missing, fails, or
            gives something else than a functional model of Keras' own layers, from images of
            `input_shape` to vectors (n, f) or maps (n, h, w, c).
    """
    build = _function(architecture, folder)
    model = _user_code(architecture, lambda: build(input_shape, hp))
    if fault := _user_code(architecture, lambda: _fault(model, input_shape)):
        raise ModelError(f"a builder must return a functional keras.Model {fault} (from {architecture})")
    return model


def _function(architecture: str, folder: str | None) -> Callable[..., Any]:
    if folder is None:
        raise ModelError(
            f"`module:function` is allowed only where the space file names a folder of builders, "
            f"but got {architecture!r}: add `builders: FOLDER`"
        )
    module_name, _, function_name = architecture.partition(":")
    for name in (module_name, function_name):
        if not name.isidentifier() or iskeyword(name):
            raise ModelError(f"a builder must be `module:function`, two plain Python names, but got {architecture!r}")
    path = _module_file(Path(folder), module_name)
    module = _user_code(architecture, lambda: _loaded(path, module_name))
    function: Callable[..., Any] | None = getattr(module, function_name, None)
    if not callable(function):
        raise ModelError(f"a builder must be a function, but {path} has none named {function_name!r}")
    return function


def _module_file(folder: Path, module: str) -> Path:
    root = folder.resolve()
    path = (root / f"{module}.py").resolve()
    if not path.is_relative_to(root):
        raise ModelError(f"a builder's file must lie in {root}, but {module}.py leads to {path}")
    if not path.is_file():
        raise ModelError(f"a builder must be a Python file in {root}, but there is no {module}.py")
    return path


def _loaded(path: Path, module: str) -> ModuleType:
    for name in [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]
    # A package without a file of its own, so that the module's relative imports find its neighbours.
    package_spec = importlib.machinery.ModuleSpec(_PACKAGE, loader=None, is_package=True)
    package_spec.submodule_search_locations = [str(path.parent)]
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(package_spec)
    spec = importlib.util.spec_from_file_location(f"{_PACKAGE}.{module}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def _user_code(architecture: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        raise ModelError(f"the builder {architecture} failed with {type(error).__name__}: {error}") from error


def _fault(model: object, input_shape: Shape) -> str:
    """What is wrong with a builder's model, or nothing."""
    if not isinstance(model, keras.Model):
        return f"but returned {type(model).__name__}"
    inputs, outputs = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        return f"with one input and one output, but it has {len(inputs)} and {len(outputs)}"
    if tuple(inputs[0].shape[1:]) != input_shape:
        return f"for images of {input_shape}, but it takes {tuple(inputs[0].shape[1:])}"
    shape = tuple(outputs[0].shape)
    if len(shape) not in {2, 4} or None in shape[1:]:
        return f"with an output of fixed shape (n, f) or (n, h, w, c), but it is {shape}"
    if foreign := next(foreign_parts(keras.saving.serialize_keras_object(model)), None):
        return f"of Keras' own layers and functions, so that it can be loaded anywhere, but it holds {foreign!r}"
    return ""
