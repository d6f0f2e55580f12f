from __future__ import annotations

import math

import pytest

from search.training.encoding import decode, encode
from search.training.messages import (
    DataLoaded,
    EpochEnded,
    Evaluated,
    Failed,
    Interrupt,
    Quit,
    Seconds,
    Train,
    TrialEnded,
    Verdict,
)

SECONDS = Seconds(setup=1.5, train=2.0, validate=0.25, checkpoint=0.125)
MESSAGES = [
    Train(
        trial=3,
        hyperparameters={"architecture": "LeNet5", "blocks": None, "learning_rate": 1e-3},
        seed=7,
        metric="val_accuracy",
        direction="maximize",
        folder="/somewhere/with ünicode",
        resume=True,
        builders=None,
        judge_at=(2000, 6000),
    ),
    Verdict(action="pause"),
    Interrupt(action="stop"),
    Quit(),
    DataLoaded(
        source="mnist-5k",
        fingerprint="ab",
        image_shape=(28, 28, 1),
        classes=["0", "1"],
        n_train=2,
        n_validation=1,
        n_test=0,
    ),
    EpochEnded(
        trial=3,
        epoch=0.17,
        images=2048,
        metrics={"val_loss": 0.1, "val_images": 600},
        seconds=SECONDS,
        vitals=[{"step": 1.0}],
    ),
    TrialEnded(
        trial=3,
        ending="paused",
        images=0,
        epochs=0,
        best_epoch=0,
        best_value=None,
        best_metrics={},
        parameters=10,
        seconds=SECONDS,
        weights="",
        confusion="",
    ),
    Failed(reason="diverged", message="the loss was nan", details="line\nline", seconds=SECONDS),
    Evaluated(report={"split": "test", "n": 3, "per_class": []}),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_message_survives_the_pipe(message):
    line = encode(message)

    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_message_with_no_number_is_refused(number):
    with pytest.raises(ValueError, match="Out of range float values"):
        encode(EpochEnded(trial=0, epoch=1, images=9, metrics={"loss": number}, seconds=SECONDS))


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"3", b'{"kind": "Nonsense"}', b'{"kind": "Quit", "x": 1}', b"{"])
def test_line_that_is_no_message(line):
    with pytest.raises(ValueError, match="not a message"):
        decode(line)


def test_seconds_add_up():
    assert SECONDS.total == 3.875
