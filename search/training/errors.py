"""Errors of training that have a reason of their own."""

from __future__ import annotations


class HopelessError(ArithmeticError):
    """No further step can make anything of this training."""

    def __init__(self, message: str) -> None:
        """`message` is for a person."""
        super().__init__(message)
        self.vitals: list[dict[str, float]] = []
        """The signs since the last judgement, each finite and with its `step`."""


class DivergedError(HopelessError):
    """The loss, or the network's output, is no longer a finite number."""


class CollapsedError(HopelessError):
    """The network gives every image the same answer, and nothing is left that could change it."""


class MetricError(ValueError):
    """The objective names a metric that training does not give."""


class CheckpointError(RuntimeError):
    """Files of a trial do not fit the network that they are loaded into."""


class ModelFileError(ValueError):
    """An exported model cannot be used: missing, changed, or made for other data."""
