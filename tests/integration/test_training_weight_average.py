from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training_talk import RESIDUAL, SMALL, action_at, digits, train

from search.training import files
from search.training.hyperparameters import Hyperparameters
from search.training.models import build_model

MANY_STEPS = {**RESIDUAL, "batch_size": 256, "epochs": 4, "learning_rate": 1e-2}


def trained(folder: Path, **values: object):
    return train(folder, {**MANY_STEPS, **values}, data=digits(1024))


def paused_after_an_epoch(folder: Path, **values: object):
    return train(folder, {**MANY_STEPS, **values}, data=digits(1024), answer=action_at(1, "pause"))


def test_average_leaves_the_training_as_it_is(tmp_path):
    tail = trained(tmp_path / "tail")
    plain = trained(tmp_path / "plain", weight_average="none")

    def training(heard):
        return [(entry["loss"], entry["accuracy"]) for entry in heard.curve]

    assert training(tail) == training(plain)
    assert [entry["val_loss"] for entry in tail.curve] != [entry["val_loss"] for entry in plain.curve]


def test_best_weights_are_the_mean_and_training_goes_on_from_the_last(tmp_path):
    ended = paused_after_an_epoch(tmp_path).ended

    model = build_model(Hyperparameters.from_dict(MANY_STEPS), (28, 28, 1), 10, None)
    n_weights, n_means = len(model.variables), len(model.trainable_variables)
    best = files.read_arrays(Path(ended.weights))
    [at] = files.checkpoints(tmp_path)
    arrays = files.read_arrays(files.checkpoint_arrays(tmp_path, at))
    for means, expected in ((arrays[-n_means:], True), (_trainable(model, arrays[:n_weights]), False)):
        are_equal = [np.array_equal(*pair) for pair in zip(_trainable(model, best), means, strict=True)]
        assert are_equal == [expected] * n_means


def _trainable(model, arrays):
    trainable = {id(variable) for variable in model.trainable_variables}
    of_model = model.weights if len(arrays) == len(model.weights) else model.variables
    return [array for variable, array in zip(of_model, arrays, strict=True) if id(variable) in trainable]


@pytest.mark.parametrize("values", [{"weight_average": "none"}, {"batch_norm": "keras"}])
def test_last_steps_weights_are_kept_where_none_are_averaged(tmp_path, values):
    ended = paused_after_an_epoch(tmp_path, **values).ended

    model = build_model(Hyperparameters.from_dict(MANY_STEPS), (28, 28, 1), 10, None)
    best = files.read_arrays(Path(ended.weights))
    arrays = files.read_arrays(files.checkpoint_arrays(tmp_path, 1024))
    assert all(map(np.array_equal, _trainable(model, best), _trainable(model, arrays[: len(model.variables)])))


def test_network_without_batch_norm_is_averaged_too(tmp_path):
    values = {"batch_size": 256, "epochs": 2}
    tail = train(tmp_path / "tail", {**SMALL, **values}, data=digits(1024))
    plain = train(tmp_path / "plain", {**SMALL, **values, "weight_average": "none"}, data=digits(1024))

    assert tail.curve[-1]["loss"] == plain.curve[-1]["loss"]
    assert tail.curve[-1]["val_loss"] != plain.curve[-1]["val_loss"]
