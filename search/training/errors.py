"""Errors of training that have a reason of their own."""

from __future__ import annotations


class DivergedError(ArithmeticError):
    """The loss, or the network's output, is no longer a finite number."""


class MetricError(ValueError):
    """The objective names a metric that training does not give."""


class CheckpointError(RuntimeError):
    """Files of a trial do not fit the network that they are loaded into."""


class ModelFileError(ValueError):
    """An exported model cannot be used: missing, changed, or made for other data."""
