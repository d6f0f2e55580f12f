"""Why a command could not be carried out, as a reason and a sentence."""

from __future__ import annotations

import errno
import traceback
from typing import TYPE_CHECKING

from search.training.data.errors import DataError
from search.training.errors import CollapsedError, DivergedError, HopelessError
from search.training.messages import Failed
from search.training.tensorflow_runtime import is_out_of_memory

if TYPE_CHECKING:
    from search.training.messages import FailureReason, Seconds

_MESSAGE_CHARACTERS = 600
_DETAIL_LINES = 60


def failure(error: BaseException, seconds: Seconds) -> Failed:
    """The event for an error; the reason is `crashed` unless the error has one of its own."""
    reason = _reason(error)
    details = "".join(traceback.format_exception(error)).splitlines()[-_DETAIL_LINES:]
    return Failed(
        reason=reason,
        message=_message(reason, error),
        details="\n".join(details),
        seconds=seconds,
        vitals=error.vitals if isinstance(error, HopelessError) else [],
    )


def _reason(error: BaseException) -> FailureReason:
    if isinstance(error, MemoryError) or is_out_of_memory(error):
        return "out_of_memory"
    if isinstance(error, DataError):
        return "bad_data"
    if isinstance(error, CollapsedError):
        return "collapsed"
    if isinstance(error, DivergedError):
        return "diverged"
    return "crashed"


def _message(reason: FailureReason, error: BaseException) -> str:
    # Keras and TensorFlow append whole graphs and argument lists to the line that says it.
    said = str(error).strip().split("\n\n")[0][:_MESSAGE_CHARACTERS]
    if reason == "out_of_memory":
        return "Memory was used up; try a smaller batch, image or network, or fewer workers on this machine."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk is full: {said}. Make room, then try the trial again."
    if reason == "crashed" and not isinstance(error, ValueError):
        return f"{type(error).__name__}: {said}"
    return said or type(error).__name__
