from __future__ import annotations

import pytest

from search.training.vitals.curve import examine_curve


def curve(*, loss, val_loss, accuracy=0.5, val_accuracy=0.5):
    return [
        {"loss": one, "val_loss": other, "accuracy": accuracy, "val_accuracy": val_accuracy}
        for one, other in zip(loss, val_loss, strict=True)
    ]


def test_averages_lagging_is_told_from_the_first_epoch_that_shows_it():
    epochs = curve(loss=[3.0, 1.5, 0.6], val_loss=[3.9, 4.2, 6.0], val_accuracy=0.02)
    epochs[0]["accuracy"] = 0.05  # hardly learned: validation may well be at chance

    diagnosis = examine_curve(epochs, 1 / 47)

    assert (diagnosis.condition, diagnosis.since_step) == ("averages_lagging", 2)
    assert diagnosis.evidence == {"accuracy": 0.5, "val_accuracy": 0.02, "chance": 1 / 47}


@pytest.mark.parametrize(
    ("accuracy", "val_accuracy", "n_classes"),
    [
        (0.5, 0.1, 1 / 47),  # validation is well above chance
        (0.1, 0.02, 1 / 47),  # training is not far above it
        (0.6, 0.5, 2),  # of two classes
        (0.9, 0.7, 2),
    ],
)
def test_averages_that_keep_up_are_nothing_of_note(accuracy, val_accuracy, n_classes):
    epochs = curve(loss=[1.0], val_loss=[1.0], accuracy=accuracy, val_accuracy=val_accuracy)

    assert examine_curve(epochs, 1 / n_classes) is None


def test_averages_lagging_is_seen_with_two_classes():
    epochs = curve(loss=[0.2], val_loss=[3.0], accuracy=0.95, val_accuracy=0.5)

    assert examine_curve(epochs, 1 / 2).condition == "averages_lagging"


def test_overfitting_counts_from_the_epoch_after_the_best():
    epochs = curve(loss=[2.0, 1.0, 0.7, 0.5, 0.3], val_loss=[2.1, 1.2, 1.3, 1.4, 1.6])

    diagnosis = examine_curve(epochs, 1 / 47)

    assert (diagnosis.condition, diagnosis.since_step) == ("overfitting", 3)
    assert diagnosis.evidence == {"val_loss_best": 1.2, "val_loss": 1.6, "loss_then": 1.0, "loss": 0.3}


@pytest.mark.parametrize(
    ("loss", "val_loss"),
    [
        ([2.0, 1.0, 0.7, 0.5], [2.1, 1.2, 1.3, 1.4]),  # two epochs only
        ([2.0, 1.0, 0.7, 0.5, 0.3], [2.1, 1.2, 1.3, 1.4, 1.205]),  # hardly worse
        ([2.0, 1.0, 1.2, 1.4, 1.6], [2.1, 1.2, 1.3, 1.4, 1.6]),  # training gets worse, too
    ],
)
def test_overfitting_needs_training_to_get_better_and_validation_worse(loss, val_loss):
    assert examine_curve(curve(loss=loss, val_loss=val_loss), 1 / 47) is None


def test_plateau_counts_from_the_epoch_after_the_last_gain():
    epochs = curve(loss=[3.0, 2.0, 1.5, 1.5, 1.495, 1.5, 1.49], val_loss=[3.0, 2.0, 1.6, 1.6, 1.6, 1.61, 1.6])

    diagnosis = examine_curve(epochs, 1 / 47)

    assert (diagnosis.condition, diagnosis.since_step) == ("plateau", 4)
    assert diagnosis.evidence == {"loss": 1.5, "val_loss": 1.6, "epochs": 4.0}


@pytest.mark.parametrize(
    ("loss", "val_loss"),
    [
        ([3.0, 2.0, 1.5, 1.5, 1.5, 1.5], [3.0, 2.0, 1.6, 1.6, 1.6, 1.6]),  # three epochs only
        ([3.85] * 9, [3.85] * 9),  # never learned: the steps' signs say why
        ([3.0, 2.0, 1.5, 1.4, 1.3, 1.2, 1.1], [3.0, 2.0, 1.6, 1.6, 1.6, 1.6, 1.6]),  # training goes on
    ],
)
def test_plateau_needs_both_losses_to_rest_after_a_gain(loss, val_loss):
    assert examine_curve(curve(loss=loss, val_loss=val_loss), 1 / 47) is None


def test_curve_without_epochs_says_nothing():
    assert examine_curve([], 1 / 47) is None
