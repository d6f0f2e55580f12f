"""What an exported model is worth on one part of the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from search.training.data.errors import DataError
from search.training.errors import ModelFileError
from search.training.export import FILE
from search.training.messages import Evaluated
from search.training.model_file import check_model_file
from search.training.scoring import log_softmax, logits_of
from search.training.tensorflow_runtime import compiled_forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.training.data.dataset import Dataset
    from search.training.messages import Evaluate

_TOP = 3
_SMALLEST = np.finfo(np.float32).tiny
"""A probability that is not 0, of a network that tells no logits."""


def evaluate(command: Evaluate, dataset: Dataset) -> Evaluated:
    """Measure `model.keras` of a folder on a part of the data.

    `accuracy` and `loss` of the validation part are those that the trial recorded. A class that
    the part does not have, or that is never answered, scores 0.

    Raises:
        ModelFileError: if there is no such model, it holds more than a network, or it was made for
            other images or classes.
        DataError: if the data have no such part.
    """
    images, labels, indices = _part(dataset, command.split)
    model = _model(Path(command.folder), dataset)
    log_p = _log_probabilities(model, images, indices)
    report = {"split": command.split, "n": len(indices), **_report(log_p, labels[indices], dataset.classes)}
    return Evaluated(report=report)


def _part(dataset: Dataset, split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Images and labels that a part is in, and where in them it is."""
    if split == "test":
        if not len(dataset.test_labels):
            raise DataError(f"{dataset.source} has no test part; evaluate on `--split validation`")
        return dataset.test_images, dataset.test_labels, np.arange(len(dataset.test_labels))
    indices = dataset.train if split == "train" else dataset.validation
    return dataset.images, dataset.labels, indices


def _model(folder: Path, dataset: Dataset) -> keras.Model:
    file = folder / FILE
    if not file.is_file():
        raise ModelFileError(f"{file} must be a model that `hpsearch export` wrote, but there is no such file")
    check_model_file(file)
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    wanted = (*dataset.images.shape[1:], len(dataset.classes))
    found = (*model.input_shape[1:], model.output_shape[-1])
    if wanted != found:
        raise ModelFileError(
            f"the data's images and number of classes must be the model's {found}, "
            f"but {dataset.source} has {wanted}; give the data that it was trained on"
        )
    return model


def _log_probabilities(
    model: keras.Model, images: NDArray[np.uint8], indices: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Logarithms of the model's probabilities (n, classes) for `images[indices]`.

    Of what `export` wrote they come from the logits, as a trial's own do: as numbers of 32 bits, probabilities below
    1e-38 are 0, and the largest may be equal.
    """
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        logits = keras.Model(model.inputs[0], last.input)
        return log_softmax(logits_of(compiled_forward(logits, training=False), images, indices).astype(np.float64))
    probabilities = logits_of(compiled_forward(model, training=False), images, indices)
    return np.log(np.maximum(probabilities, _SMALLEST).astype(np.float64))


def _report(log_p: NDArray[np.float64], labels: NDArray[np.int64], classes: tuple[str, ...]) -> dict[str, Any]:
    from sklearn.metrics import precision_recall_fscore_support  # trainers that only train do without

    answers = log_p.argmax(axis=1)
    precision, recall, f1, n = precision_recall_fscore_support(
        labels, answers, labels=np.arange(len(classes)), zero_division=0.0
    )
    top = np.argsort(-log_p, axis=1, kind="stable")[:, :_TOP]
    return {
        "accuracy": float((answers == labels).mean()),
        "loss": float(-log_p[np.arange(len(labels)), labels].mean()),
        "macro_f1": float(f1.mean()),
        "top3_accuracy": float((top == labels[:, None]).any(axis=1).mean()),
        "per_class": [
            {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "n": int(count)}
            for name, p, r, f, count in zip(classes, precision, recall, f1, n, strict=True)
        ],
    }
