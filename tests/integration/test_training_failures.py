from __future__ import annotations

import errno

import pytest
import tensorflow as tf

from search.training.data.errors import DataError
from search.training.encoding import decode, encode
from search.training.errors import DivergedError, MetricError
from search.training.failures import failure
from search.training.messages import Seconds
from search.training.models import ModelError

SECONDS = Seconds(setup=1.0)
MEMORY = "Memory was used up; try a smaller batch, image or network, or fewer workers on this machine."
OUT_OF_MEMORY = "OOM when allocating tensor with shape[9]"


@pytest.mark.parametrize(
    ("error", "reason", "message"),
    [
        (MemoryError(), "out_of_memory", MEMORY),
        (tf.errors.ResourceExhaustedError(None, None, OUT_OF_MEMORY), "out_of_memory", MEMORY),
        (tf.errors.InternalError(None, None, "CUDA: out of memory"), "out_of_memory", MEMORY),
        (DataError("the file is empty"), "bad_data", "the file is empty"),
        (DivergedError("the loss was nan"), "diverged", "the loss was nan"),
        (MetricError("no such metric"), "crashed", "no such metric"),
        (ModelError("no such model"), "crashed", "no such model"),
        (ZeroDivisionError("division by zero"), "crashed", "ZeroDivisionError: division by zero"),
        (RuntimeError("first\n\nGraph: …"), "crashed", "RuntimeError: first"),
        (ValueError(), "crashed", "ValueError"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "crashed",
            "The disk is full: [Errno 28] No space left on device. Make room, then try the trial again.",
        ),
    ],
)
def test_error_has_its_reason_and_sentence(error, reason, message):
    event = failure(error, SECONDS)

    assert (event.reason, event.message, event.seconds) == (reason, message, SECONDS)
    assert decode(encode(event)) == event


def test_details_end_with_the_error():
    try:
        int("x")
    except ValueError as error:
        event = failure(error, SECONDS)

    assert event.details.splitlines()[0] == "Traceback (most recent call last):"
    assert event.details.splitlines()[-1].startswith("ValueError: invalid literal")
