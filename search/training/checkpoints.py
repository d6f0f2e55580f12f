"""Checkpoints: all that decides how a trial goes on, so that it goes on as if never interrupted.

Weights, their means, BatchNorm averages, seeds of dropout and the optimizer with its learning rate are arrays;
the rest is the `TrialState`. The order of the images needs no state: seed, epoch and step decide it.
"""

from __future__ import annotations

import json
import logging
import zipfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from search.training import files
from search.training.errors import CheckpointError
from search.training.state import TrialIdentity, TrialState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

_FORMAT = 4
_log = logging.getLogger(__name__)


def save_checkpoint(folder: Path, identity: TrialIdentity, state: TrialState, model: keras.Model | None) -> None:
    """Write the checkpoint of `state.position`.

    `model` is None where nothing will be trained any more: how a trial has ended is told by its state alone, and its
    arrays would be as large as four times its weights.

    Raises:
        OSError: if there is no room for it; earlier checkpoints are as they were.
    """
    manifest = {
        "format": _FORMAT,
        "sha256": _save_arrays(files.checkpoint_arrays(folder, state.position), model) if model is not None else None,
        "identity": asdict(identity),
        "state": state.to_json(),
    }
    files.write_json(files.checkpoint_manifest(folder, state.position), manifest)


def load_checkpoint(folder: Path, identity: TrialIdentity, model: keras.Model) -> TrialState | None:
    """Put `model` and its optimizer into the newest checkpoint that is whole, and return its state.

    The model stays as it is where the checkpoint says that the trial has ended.

    A damaged one is passed over, with a line in the log; None if there is none left, and then the
    trial begins anew.
    """
    for images in files.checkpoints(folder):
        try:
            return _load(folder, images, identity, model)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, CheckpointError) as error:
            _log.warning("checkpoint at %d images in %s is passed over: %s", images, folder, error)
    return None


def save_weights(path: Path, weights: Sequence[NDArray[Any]]) -> None:
    """Write the values of all of a model's `weights`, in their order, BatchNorm averages included."""
    files.write_arrays(path, weights)


def load_weights(path: Path, model: keras.Model) -> None:
    """Load what `save_weights` wrote for a network built from the same hyperparameters.

    Raises:
        CheckpointError: if they are another network's; then nothing was changed.
        OSError, zipfile.BadZipFile: if the file is missing or damaged.
    """
    _assign(model.weights, files.read_arrays(path))


def _load(folder: Path, images: int, identity: TrialIdentity, model: keras.Model) -> TrialState:
    manifest: dict[str, Any] = json.loads(files.checkpoint_manifest(folder, images).read_bytes())
    if manifest["format"] != _FORMAT:
        raise CheckpointError(f"its format must be {_FORMAT}, but is {manifest['format']!r}")
    if manifest["identity"] != asdict(identity):
        raise CheckpointError("it belongs to a trial with other hyperparameters, seed, objective or data")
    state = TrialState.from_json(manifest["state"])
    if state.best_images and not files.best_weights(folder, state.best_images).exists():
        raise CheckpointError(f"the weights of its best judgement, at {state.best_images} images, are gone")
    if manifest["sha256"] is not None:
        _load_arrays(files.checkpoint_arrays(folder, images), manifest["sha256"], model)
    return state


def _save_arrays(path: Path, model: keras.Model) -> str:
    """Write them; their checksum."""
    files.write_arrays(path, [*(variable.numpy() for variable in _variables(model)), *model.average.means])
    return files.sha256(path)


def _load_arrays(path: Path, sha256: str, model: keras.Model) -> None:
    if files.sha256(path) != sha256:
        raise CheckpointError("its arrays do not have the checksum in its manifest")
    found = files.read_arrays(path)
    n_means = len(model.average.means)
    _assign(_variables(model), found[: len(found) - n_means])
    model.average.means = found[len(found) - n_means :]


def _variables(model: keras.Model) -> list[keras.Variable]:
    # `variables` holds the states of dropout's seeds next to the weights.
    return [*model.variables, *model.optimizer.variables]


def _assign(variables: Sequence[keras.Variable], arrays: Sequence[Any]) -> None:
    expected = [tuple(variable.shape) for variable in variables]
    found = [tuple(array.shape) for array in arrays]
    if expected != found:
        raise CheckpointError(
            f"the arrays must fit the network's {len(expected)} variables one by one, "
            f"but {len(found)} arrays of other shapes came: they are another network's"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
