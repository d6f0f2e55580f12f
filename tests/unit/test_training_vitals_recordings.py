"""The diagnosis on real trainings: the runs that `benchmarks/vitals.py` keeps."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def kept():
    """Every recording with what was said of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        from vital_signs import judge, recordings
    recorded = recordings.load()
    return SimpleNamespace(
        judgements=[judge.judge(one) for one in recorded], missed=judge.missed, diagnoses=judge.diagnoses
    )


def said_of(kept, name):
    return next(one for one in kept.judgements if one.recording.run.key == name)


def test_aims_hold_on_all_recorded_runs_together(kept):
    """Those that thresholds were chosen on are among them; `benchmarks/vitals.py` has the others by themselves."""
    assert kept.missed(kept.judgements) == []


def test_no_living_run_is_stopped(kept):
    living = [one for one in kept.judgements if one.recording.label in ("stuck", "learning")]

    assert len(living) > 15
    assert [one.recording.run.key for one in living if one.stopped_at is not None] == []


def test_every_dead_and_every_diverged_run_is_ended_as_what_it_is(kept):
    # A gradient may overflow while a network dies whose loss stays finite.
    expected = {"dead": ("collapsed", "diverged"), "diverged": ("diverged",)}
    lost = [one for one in kept.judgements if one.recording.label in expected]

    assert len(lost) > 40
    wrong = [one for one in lost if one.last.condition not in expected[one.recording.label]]
    assert [one.recording.run.key for one in wrong] == []
    overflown = [one for one in lost if one.last.condition == "diverged"]
    assert len(overflown) == 12
    assert all(any(not np.isfinite(column).all() for column in one.recording.columns.values()) for one in overflown)


def test_dead_vgg_with_dropout_is_found(kept):
    one = said_of(kept, "VGG16-5_2x512_d0.3__adam_0.001_b8_s0")

    assert one.recording.died_at == 21
    assert one.stopped_at - one.recording.died_at <= 30
    # What a threshold on the spread would have waited for.
    assert min(one.recording.columns["spread"]) > 1e-3


def test_vgg_that_single_images_wake_is_kept(kept):
    one = said_of(kept, "VGG19-2_2x256_d0__adam_0.001_b8_s0")

    assert (one.recording.label, one.stopped_at, one.last.condition) == ("learning", None, "learning")
    assert sum(gradient == 0.0 for gradient in one.recording.columns["gradient_first"]) > 20


@pytest.mark.parametrize("name", ["VGG16-5_2x512_d0.3__adam_0.0001_b64_s0", "VGG19-3_1x512_d0.3__adam_0.0001_b8_s0"])
def test_vgg_that_starts_slowly_is_kept(kept, name):
    one = said_of(kept, name)

    assert (one.recording.label, one.stopped_at, one.last.condition) == ("learning", None, "learning")
    assert min(one.recording.columns["mean_loss"][:30]) > 3.7  # of 3.85


def test_mobilenet_whose_answers_fall_together_and_come_back_is_kept(kept):
    one = said_of(kept, "MobileNetV2_1x512_d0__adam_0.1_b128_s0")
    said = [diagnosis.condition for diagnosis, _ in kept.diagnoses(one.recording)]

    assert (one.recording.label, one.stopped_at) == ("learning", None)
    assert list(dict.fromkeys(said)) == ["starting", "learning_rate_high", "shaken", "recovering", "learning"]


@pytest.mark.parametrize("name", ["VGG16-5_2x512_d0.3__rmsprop_0.001_b8_s0", "VGG19-5_2x512_d0.3__adam_0.001_b8_s0"])
def test_vgg_that_dies_slowly_is_found_in_time(kept, name):
    one = said_of(kept, name)

    assert one.stopped_at - one.recording.died_at <= 30


def test_vgg_that_neither_dies_nor_starts_is_kept(kept):
    one = said_of(kept, "VGG16-5_2x512_d0.3__sgd_0.01_b8_s0")

    assert one.stopped_at is None
    assert one.last.condition == "never_started"


def test_lenet_that_creeps_is_kept_and_told_why(kept):
    assert said_of(kept, "LeNet5_1x84_d0__adam_1e-05_b32_s0").last.condition == "learning_rate_low"
