from __future__ import annotations

import keras
import numpy as np
import pytest
from training_talk import RESIDUAL, SMALL, digits, train

from search.training.data.errors import DataError
from search.training.errors import CheckpointError, ModelFileError
from search.training.evaluate import evaluate
from search.training.export import export
from search.training.files import sha256
from search.training.measure import measure
from search.training.messages import Evaluate, Export, Measure
from search.training.scoring import Scores

# Keras' own way of saving a variable under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A trial with BatchNorm, stopped at a best epoch that is not its last where that happens."""
    folder = tmp_path_factory.mktemp("trial")
    ended = train(folder, {**RESIDUAL, "learning_rate": 0.01, "epochs": 3}).ended
    target = tmp_path_factory.mktemp("exported")
    event = export(Export(hyperparameters=RESIDUAL, weights=ended.weights, folder=str(target), builders=None), digits())
    return ended, event, target


def report(folder, split, data=None):
    return evaluate(Evaluate(folder=str(folder), split=split, builders=None), data or digits()).report


def test_validation_gives_the_recorded_value_again(exported):
    ended, _, folder = exported
    found = report(folder, "validation")

    assert found["n"] == len(digits().validation)
    assert found["accuracy"] == ended.best_value
    assert found["loss"] == pytest.approx(ended.best_metrics["val_loss"], abs=1e-6)


def test_loss_of_a_network_that_is_wrong_and_sure_is_the_trials_own(exported, tmp_path):
    model = keras.models.load_model(exported[2] / "model.keras")
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([1000 * kernel, bias])
    model.save(tmp_path / "model.keras")
    logits = keras.Model(model.inputs[0], model.get_layer("probabilities").input)
    data = digits()

    found = report(tmp_path, "validation")

    scores = Scores.of(logits.predict(data.images[data.validation], 256, 0), data.labels[data.validation])
    assert scores.loss > 88  # of a probability that is 0 in 32 bits
    assert found["loss"] == pytest.approx(scores.loss, rel=1e-6)
    assert found["accuracy"] == scores.accuracy


def test_exported_file_is_named_and_proven(exported):
    ended, event, folder = exported

    assert event.file == str(folder / "model.keras")
    assert event.sha256 == sha256(folder / "model.keras")
    assert event.parameters == ended.parameters
    assert event.largest_difference <= 1e-5
    assert [path.name for path in folder.iterdir()] == ["model.keras"]


def test_exported_model_takes_raw_images_and_gives_probabilities(exported):
    model = keras.models.load_model(exported[2] / "model.keras")

    probabilities = model.predict(digits().test_images[:7], verbose=0)
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_test_part_has_scores_by_class(exported):
    found = report(exported[2], "test")
    scores = found["per_class"]

    assert list(found) == ["split", "n", "accuracy", "loss", "macro_f1", "top3_accuracy", "per_class"]
    assert (found["split"], found["n"]) == ("test", 1000)
    assert [row["class"] for row in scores] == list(digits().classes)
    assert sum(row["n"] for row in scores) == 1000
    assert sum(row["recall"] * row["n"] for row in scores) / 1000 == pytest.approx(found["accuracy"])
    assert np.mean([row["f1"] for row in scores]) == pytest.approx(found["macro_f1"])
    assert found["accuracy"] <= found["top3_accuracy"] <= 1.0


def test_train_part_is_the_training_images(exported):
    assert report(exported[2], "train")["n"] == len(digits().train)


def test_data_without_a_test_part_say_so(exported):
    from dataclasses import replace

    data = replace(digits(), test_images=digits().test_images[:0], test_labels=digits().test_labels[:0])
    with pytest.raises(DataError, match="has no test part"):
        report(exported[2], "test", data)


def test_model_for_other_data_is_refused(exported):
    from dataclasses import replace

    data = replace(digits(), classes=digits().classes[:9])
    with pytest.raises(ModelFileError, match=r"must be the model's \(28, 28, 1, 10\)"):
        report(exported[2], "validation", data)


def test_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="must be a model that `hpsearch export` wrote"):
        report(tmp_path, "validation")


def test_weights_of_another_network_are_refused(exported, tmp_path):
    other = {**RESIDUAL, "head_width": 33}
    command = Export(hyperparameters=other, weights=exported[0].weights, folder=str(tmp_path), builders=None)

    with pytest.raises(CheckpointError, match="another network's"):
        export(command, digits())
    assert list(tmp_path.iterdir()) == []


def test_networks_are_measured_in_order():
    wide = {**SMALL, "head_width": 512, "batch_size": 1024}
    command = Measure(hyperparameters=[SMALL, wide], image_shape=(28, 28, 1), classes=10, builders=None)

    measured = measure(command)

    small = 156 + 2_416 + 48_120 + (120 * 32 + 32) + (32 * 10 + 10)
    assert measured.parameters[0] == small
    assert measured.memory[0] > 4 * 4 * small  # weights, gradients and two moments
    assert measured.memory[1] > 10 * measured.memory[0]
