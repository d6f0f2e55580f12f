from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from search.training.vitals.diagnosis import Condition, Diagnosis
from search.training.vitals.stories import Facts, is_noteworthy, tell

VGG16 = Facts(architecture="VGG16", n_layers=16, is_normalised=False, learning_rate=1e-3, optimizer="adam")
LENET = replace(VGG16, architecture="LeNet5", n_layers=5, learning_rate=0.1)
MOBILENET = replace(
    VGG16, architecture="MobileNet", n_layers=28, is_normalised=True, learning_rate=3.0, optimizer="sgd"
)
EVIDENCE = {
    "chance": 3.85,
    "loss": 3.852,
    "spread_then": 3e-5,
    "spread_largest": 3e-5,
    "spread_lowest": 1e-6,
    "spread": 8e-9,
    "gradient_first_then": 1.3e-4,
    "gradient_first": 8.2e-9,
    "update_ratio": 2e-5,
    "steps": 120.0,
    # of the epochs
    "accuracy": 0.65,
    "val_accuracy": 0.017,
    "val_loss_best": 1.2,
    "val_loss": 1.6,
    "loss_then": 1.0,
    "epochs": 5.0,
}


def story(condition, facts=VGG16, since_step=8, **evidence):
    return tell(Diagnosis(condition=condition, since_step=since_step, evidence={**EVIDENCE, **evidence}), facts)


def test_collapse_of_a_deep_network_names_depth_rate_and_cures():
    assert story("collapsed") == (
        "Dead since step 8: the network gives every image the same answer (spread between images fell from 3e-5 to "
        "8e-9, the first layer's gradient went from 0.00013 to 8.2e-9). Usual cause: 16 layers without normalisation "
        "at learning rate 0.001. Try 0.0001, fewer blocks, or BatchNorm."
    )


def test_collapse_under_dropout_does_not_speak_of_spread():
    assert story("collapsed", spread=1e-6, gradient_first=0.0) == (
        "Dead since step 8: the network gives every image the same answer (the first layer's gradient went from "
        "0.00013 to 0). Usual cause: 16 layers without normalisation at learning rate 0.001. Try 0.0001, fewer "
        "blocks, or BatchNorm."
    )


def test_collapse_of_a_shallow_network_is_the_rate_alone():
    assert story("collapsed", LENET).endswith(
        "Usual cause: steps too large (learning rate 0.1 with adam), which push the units to where they no longer "
        "react. Try 0.01."
    )


def test_collapse_with_batch_norm_does_not_recommend_it():
    assert story("collapsed", MOBILENET).endswith(
        "Usual cause: steps too large (learning rate 3 with sgd): they pushed every unit to where it gives nothing. "
        "Try 0.3."
    )


def test_divergence_gives_the_last_loss():
    assert story("diverged", MOBILENET, loss=812.4) == (
        "Diverged at step 8: loss or gradients are no longer finite numbers (the loss was 8.1e2 before). Usual cause: "
        "learning rate 3 with sgd is too large. Try 0.3."
    )


def test_divergence_in_the_first_step_has_no_loss_before():
    assert "before" not in story("diverged", MOBILENET, since_step=1)


def test_network_that_never_started_is_told_of_the_fading_signal():
    facts = replace(VGG16, optimizer="sgd", learning_rate=1e-2)

    assert story("never_started", facts, spread=7e-5, spread_then=7e-5) == (
        "Not started after 120 steps: the answers hardly differ from image to image (spread 7e-5 at the start, 7e-5 "
        "now), and the loss is still that of guessing, 3.85. Usual cause: the signal fades in 16 layers without "
        "normalisation, and sgd at learning rate 0.01 does not bring it back. Try adam at 1e-4, fewer layers, or "
        "BatchNorm."
    )


def test_slow_starter_is_to_be_left_alone():
    assert story("slow_starter", spread=2.3e-2, spread_then=2.4e-4) == (
        "Slow, but alive: the loss is still that of guessing (3.85; guessing gives 3.85), yet the answers have begun "
        "to differ from image to image (spread 0.00024 at the start, 0.023 now). Let it go on."
    )


def test_slow_starter_whose_answers_do_not_differ_yet_is_not_called_alive():
    assert story("slow_starter", spread=7e-5, spread_then=7e-5, gradient_first=1e-4) == (
        "Slow, but not dead: the loss is still that of guessing (3.85; guessing gives 3.85), and after 120 steps it is "
        "too early to say more (gradient of the first layer 0.00013 at the start, 0.0001 now; spread 7e-5 at the "
        "start, 7e-5 now). Let it go on."
    )


def test_averages_that_lag_are_blamed_and_not_the_network():
    assert story("averages_lagging", chance=1 / 47) == (
        "It learns, but validation does not show it: accuracy 0.65 in training, 0.02 in validation, and guessing "
        "gives 0.02. Usual cause: BatchNorm's averages are behind the weights. Try `batch_norm: honest`, or smaller "
        "batches."
    )


def test_overfitting_gives_both_losses():
    assert story("overfitting", since_step=3, loss=0.3) == (
        "Overfitting since epoch 3: the validation loss rose from 1.20 to 1.60, while the training loss fell from "
        "1.00 to 0.30. Try dropout, `augment: shift_rotate`, or more images."
    )


def test_large_steps_are_given_as_a_share():
    assert story("learning_rate_high", LENET, update_ratio=0.052, loss=8.93) == (
        "Steps too large since step 8: each changes the first layer by 5.2% (about 0.1 % is usual), and the loss is "
        "8.9; guessing gives 3.85. Try learning rate 0.01."
    )


def test_steps_that_change_nothing_are_not_called_slow():
    told = story("learning_rate_low", LENET, update_ratio=1e-11)

    assert told.endswith("Numbers of 32 bits do not change by so little. Try learning rates far above 0.1.")


@pytest.mark.parametrize(
    ("loss", "schedule", "advice"),
    [
        (3.85, "constant", "guessing gives 3.85. Try learning rate 1."),
        (2.5, "constant", "guessing gives 3.85. It learns, slowly. Try learning rate 1."),
        (
            2.5,
            "cosine",
            "It learns, slowly. The rate is too small, or its schedule (cosine) has lowered it. Try learning rate 1.",
        ),
    ],
)
def test_small_steps_are_called_slow_learning_where_something_is_learned(loss, schedule, advice):
    told = story("learning_rate_low", replace(LENET, schedule=schedule), update_ratio=1e-5, loss=loss)

    assert told.endswith(advice)


def test_plateau_of_a_rate_that_falls_is_not_blamed_on_it():
    assert "schedule: cosine" in story("plateau")
    assert story("plateau", replace(VGG16, schedule="cosine")).endswith(
        "Its learning rate falls already: try another network, or more images."
    )


def test_steps_of_usual_size_are_not_blamed_for_theirs():
    assert story("learning_rate_high", LENET, update_ratio=1e-3, loss_then=3.9, loss=40.0) == (
        "Steps too large since step 8: the loss went from 3.9 to 40, and guessing gives 3.85. Try learning rate 0.01."
    )


@pytest.mark.parametrize("condition", sorted(set(get_args(Condition)) - {"starting"}))
def test_each_condition_has_a_story_of_sentences(condition):
    told = story(condition)

    assert told[0].isupper()
    assert told.endswith(".")


def test_nothing_is_told_of_a_start():
    assert story("starting") == ""


def test_what_goes_well_is_not_noteworthy():
    assert {name for name in get_args(Condition) if not is_noteworthy(Diagnosis(condition=name, since_step=1))} == {
        "starting",
        "learning",
        "recovering",
    }
