"""Somebody else's model files, S8: looked through before Keras opens them."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import keras
import numpy as np
import pytest
from training_talk import digits

from search.training.errors import ModelFileError
from search.training.evaluate import evaluate
from search.training.messages import Evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

WEIGHTS = "model.weights.h5"
LARGE = 1 << 31  # bytes: under the 4 GiB at which Keras itself begins to look

# Keras' own way of saving a variable under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Touch:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as `hpsearch export` writes it."""
    file = tmp_path_factory.mktemp("good") / "model.keras"
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    keras.Sequential(layers).save(file)
    return file


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    """A folder with a copy of it, to be spoilt."""
    (tmp_path / "model.keras").write_bytes(good.read_bytes())
    return tmp_path


def change(folder: Path, member: str, edit: Callable[[bytes], bytes], kind: int = zipfile.ZIP_STORED) -> None:
    """Write the archive again with one member changed."""
    file = folder / "model.keras"
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, data in members.items():
            archive.writestr(name, edit(data) if name == member else data)


def with_layer(class_name: str, config: dict[str, Any], module: str = "keras.layers") -> Callable[[Path], None]:
    """Put a layer at the end of the network."""
    layer = {"module": module, "class_name": class_name, "config": config, "registered_name": None}

    def spoil(folder: Path) -> None:
        def edit(data: bytes) -> bytes:
            model = json.loads(data)
            model["config"]["layers"].append(layer)
            return json.dumps(model).encode()

        change(folder, "config.json", edit)

    return spoil


def with_weights(spoil: Callable[[h5py.File, Path], None]) -> Callable[[Path], None]:
    """Change the file of weights."""

    def whole(folder: Path) -> None:
        def edit(data: bytes) -> bytes:
            inner = folder / "inner.h5"
            inner.write_bytes(data)
            with h5py.File(inner, "r+") as weights:
                spoil(weights, folder)
            return inner.read_bytes()

        change(folder, WEIGHTS, edit)

    return whole


def kernel(weights: h5py.File) -> tuple[h5py.Group, str]:
    """Where the kernel of the last layer stands."""
    found: list[str] = []
    weights.visititems(lambda name, item: found.append(name) if getattr(item, "ndim", 0) == 2 else None)
    group, _, name = found[0].rpartition("/")
    return weights[group], name


def outside(folder: Path) -> Path:
    """A file that is none of ours, with weights."""
    file = folder / "outside.h5"
    with h5py.File(file, "w") as other:
        other["secret"] = np.ones((784, 10), np.float32)
    return file


def external_link(weights: h5py.File, folder: Path) -> None:
    group, name = kernel(weights)
    del group[name]
    group[name] = h5py.ExternalLink(str(outside(folder)), "/secret")


def soft_link(weights: h5py.File, folder: Path) -> None:
    group, name = kernel(weights)
    group["other"] = group[name]
    del group[name]
    group[name] = h5py.SoftLink(f"{group.name}/other")


def external_array(weights: h5py.File, folder: Path) -> None:
    group, name = kernel(weights)
    del group[name]
    raw = folder / "raw"
    raw.write_bytes(bytes(784 * 10 * 4))
    group.create_dataset(name, (784, 10), "f4", external=[(str(raw), 0, h5py.h5f.UNLIMITED)])


def virtual_array(weights: h5py.File, folder: Path) -> None:
    group, name = kernel(weights)
    del group[name]
    layout = h5py.VirtualLayout((784, 10), "f4")
    layout[:] = h5py.VirtualSource(str(outside(folder)), "secret", (784, 10))
    group.create_virtual_dataset(name, layout)


def large_array(weights: h5py.File, folder: Path) -> None:
    weights.create_dataset("large", (LARGE // 4,), "f4", chunks=(1 << 20,), compression="gzip")


def packed_members(folder: Path) -> None:
    change(folder, "config.json", lambda data: data + b" " * (1 << 27), zipfile.ZIP_DEFLATED)


def large_config(folder: Path) -> None:
    change(folder, "config.json", lambda data: data + b" " * (1 << 25))


def further_member(folder: Path) -> None:
    with zipfile.ZipFile(folder / "model.keras", "a") as archive:
        archive.writestr("../../outside", "x")


def a_pickle(folder: Path) -> None:
    (folder / "model.keras").write_bytes(pickle.dumps(Touch(folder / "ran")))


def old_hdf5(folder: Path) -> None:
    (folder / "model.keras").write_bytes(outside(folder).read_bytes())


def only_other_names(folder: Path) -> None:
    for name in ("model.h5", "model.pkl"):
        (folder / name).write_bytes(pickle.dumps(Touch(folder / "ran")))
    (folder / "model.keras").unlink()


LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "lambda": (with_layer("Lambda", {"name": "l", "function": LAMBDA}), "it holds 'Lambda'"),
    "a function by name": (
        with_layer("Activation", {"activation": {"module": "os", "class_name": "function", "config": "system"}}),
        "it holds 'system'",
    ),
    "foreign class": (with_layer("Popen", {"args": "true"}, "subprocess"), "it holds 'Popen'"),
    "layer that reads a file": (with_layer("StringLookup", {"vocabulary": "/etc/passwd"}), "it holds 'StringLookup'"),
    "helper that is no layer": (with_layer("get_file", {"origin": "x"}, "keras.utils"), "it holds 'get_file'"),
    "external link": (with_weights(external_link), "lead elsewhere (ExternalLink)"),
    "soft link": (with_weights(soft_link), "lead elsewhere (SoftLink)"),
    "array in another file": (with_weights(external_array), "lie in another file"),
    "virtual array": (with_weights(virtual_array), "lie in another file"),
    "array that unpacks to 2 GiB": (with_weights(large_array), "'large' are packed"),
    "packed archive": (packed_members, "is packed"),
    "config without end": (large_config, "is larger than that of any network"),
    "member with a path": (further_member, "'../../outside'"),
    "pickle": (a_pickle, "File is not a zip file"),
    "hdf5": (old_hdf5, "File is not a zip file"),
    "only .h5 and .pkl": (only_other_names, "there is no such file"),
}  # fmt: skip


def measured(folder: Path) -> dict[str, Any]:
    return evaluate(Evaluate(folder=str(folder), split="test", builders=None), digits()).report


def test_s08_model_that_export_writes_is_measured(folder: Path):
    assert measured(folder)["n"] == 1000


@pytest.mark.parametrize("name", SPOILT)
def test_s08_model_with_more_than_a_network_is_refused(folder: Path, name: str):
    spoil, message = SPOILT[name]
    spoil(folder)

    with pytest.raises(ModelFileError) as refused:
        measured(folder)

    assert str(refused.value).startswith(f"{folder / 'model.keras'} must be a model that `hpsearch export` wrote, but ")
    assert message in str(refused.value)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("spoil", [with_weights(large_array), packed_members], ids=["array", "archive"])
def test_s08_looking_through_a_bomb_takes_no_memory(folder: Path, spoil: Callable[[Path], None]):
    spoil(folder)
    code = (
        "import pathlib, re, sys\n"
        "from search.training.model_file import check_model_file\n"
        "try: check_model_file(pathlib.Path(sys.argv[1]))\n"
        # Not `getrusage`, which begins with what the process before it took.
        "except ValueError: print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )

    done = subprocess.run([sys.executable, "-c", code, str(folder / "model.keras")], capture_output=True, check=True)

    assert int(done.stdout) < 1 << 20  # KiB: 1 GiB, with the interpreter


def test_s08_no_array_of_a_data_file_is_unpickled(tmp_path: Path):
    from search.training.data.arrays import read_npz
    from search.training.data.errors import DataError

    stream = io.BytesIO()
    touch = np.array([Touch(tmp_path / "ran")], dtype=object)
    np.savez(stream, x_train=touch, y_train=touch)
    (tmp_path / "data.npz").write_bytes(stream.getvalue())

    with pytest.raises(DataError):
        read_npz(tmp_path / "data.npz")

    assert not (tmp_path / "ran").exists()
