"""What an exported model is worth on one part of the data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras
import numpy as np

from search.training.data.errors import DataError
from search.training.errors import ModelFileError
from search.training.export import FILE
from search.training.messages import Evaluated
from search.training.model_file import check_model_file
from search.training.scoring import BATCH_SIZE, log_softmax, logits_of
from search.training.tensorflow_runtime import compiled_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from search.training.data.dataset import Dataset
    from search.training.messages import Evaluate

_TOP = 3
_BLOCK = 4 * BATCH_SIZE
"""Images whose probabilities are in memory at a time: whole batches, those of a trial's own validation."""
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
    log_p_of = _log_probabilities(_model(Path(command.folder), dataset))
    blocks = np.split(indices, range(_BLOCK, len(indices), _BLOCK))
    answers = _Answers.joined([_Answers.of(log_p_of(images, block), labels[block]) for block in blocks])
    report = {"split": command.split, "n": len(indices), **_report(answers, labels[indices], dataset.classes)}
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
    model: keras.Model,
) -> Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.float64]]:
    """A function of images and indices: logarithms of the model's probabilities (n, classes) for `images[indices]`.

    Of what `export` wrote they come from the logits, as a trial's own do: as numbers of 32 bits, probabilities below
    1e-38 are 0, and the largest may be equal.
    """
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        to_logits = compiled_forward(keras.Model(model.inputs[0], last.input), training=False)
        return lambda images, indices: log_softmax(logits_of(to_logits, images, indices).astype(np.float64))
    forward = compiled_forward(model, training=False)
    return lambda images, indices: np.log(np.maximum(logits_of(forward, images, indices), _SMALLEST).astype(np.float64))


@dataclass(frozen=True, eq=False)
class _Answers:
    """What is measured of each image, so that probabilities of thousands of classes need not be kept; shape (n,)."""

    predicted: NDArray[np.int64]
    log_p: NDArray[np.float64]
    """Of the image's own class."""
    is_in_top: NDArray[np.bool_]

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.int64]) -> Self:
        top = np.argsort(-log_p, axis=1, kind="stable")[:, :_TOP]
        return cls(log_p.argmax(axis=1), log_p[np.arange(len(labels)), labels], (top == labels[:, None]).any(axis=1))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(
            np.concatenate([part.predicted for part in parts]),
            np.concatenate([part.log_p for part in parts]),
            np.concatenate([part.is_in_top for part in parts]),
        )


def _report(answers: _Answers, labels: NDArray[np.int64], classes: tuple[str, ...]) -> dict[str, Any]:
    from sklearn.metrics import precision_recall_fscore_support  # trainers that only train do without

    precision, recall, f1, n = precision_recall_fscore_support(
        labels, answers.predicted, labels=np.arange(len(classes)), zero_division=0.0
    )
    return {
        "accuracy": float((answers.predicted == labels).mean()),
        "loss": float(-answers.log_p.mean()),
        "macro_f1": float(f1.mean()),
        "top3_accuracy": float(answers.is_in_top.mean()),
        "per_class": [
            {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "n": int(count)}
            for name, p, r, f, count in zip(classes, precision, recall, f1, n, strict=True)
        ],
    }
