"""From a trial's best weights to a model file that stands by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from search.training import files
from search.training.checkpoints import load_weights
from search.training.errors import ModelFileError
from search.training.hyperparameters import Hyperparameters
from search.training.messages import Exported
from search.training.models import build_model, to_probabilities
from search.training.tensorflow_runtime import compiled_forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.training.data.dataset import Dataset
    from search.training.messages import Export

FILE = "model.keras"
_N_COMPARED = 64
_TOLERANCE = 1e-5
"""Two graphs of the same network may differ in the last bits of a probability, not by more."""


def export(command: Export, dataset: Dataset) -> Exported:
    """Write `model.keras`: raw images 0 to 255 in, probabilities out; then prove it.

    The file is loaded again, and its probabilities for images of the validation part are compared
    with those of the network that was rebuilt.

    Raises:
        ModelFileError: if they differ by more than 1e-5; the file is not kept then.
        CheckpointError: if the weights are not those of a network of these hyperparameters.
    """
    hp = Hyperparameters.from_dict(command.hyperparameters)
    model = build_model(hp, dataset.images.shape[1:], len(dataset.classes), command.builders)
    load_weights(Path(command.weights), model)
    finished = to_probabilities(model)
    folder = Path(command.folder)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"unproven-{FILE}"
    try:
        finished.save(temporary)
        images = dataset.images[dataset.validation[:_N_COMPARED]]
        difference = _difference(finished, keras.models.load_model(temporary), images)
        if not difference <= _TOLERANCE:
            raise ModelFileError(
                f"the exported model's probabilities must be within {_TOLERANCE} of the trial's, "
                f"but differ by {difference:.3g}: a layer of it is not saved whole"
            )
        temporary.replace(folder / FILE)
    finally:
        temporary.unlink(missing_ok=True)
    file = folder / FILE
    return Exported(
        file=str(file),
        sha256=files.sha256(file),
        parameters=finished.count_params(),
        largest_difference=difference,
    )


def _difference(one: keras.Model, other: keras.Model, images: NDArray[np.uint8]) -> float:
    """The largest difference of two models' probabilities."""
    first = compiled_forward(one, training=False)(images)
    second = compiled_forward(other, training=False)(images)
    return float(np.abs(first - second).max())
