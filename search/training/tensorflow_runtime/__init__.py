"""The one place that imports `tensorflow` itself: its process, its graph functions, its operations."""

from __future__ import annotations

from search.training.tensorflow_runtime.convolutions import derived_by_size
from search.training.tensorflow_runtime.dropout import dropout
from search.training.tensorflow_runtime.fused import FusedAdam, FusedBatchNormalization, FusedSGD, fuse
from search.training.tensorflow_runtime.graphs import (
    Forward,
    both_passes,
    compiled_forward,
    forget_gradients,
    traced,
    unoptimized,
    with_gradients,
)
from search.training.tensorflow_runtime.process import (
    configure,
    idle_memory,
    is_out_of_memory,
    version,
)
from search.training.tensorflow_runtime.variables import assign, snapshot, value_of

__all__ = [
    "Forward",
    "FusedAdam",
    "FusedBatchNormalization",
    "FusedSGD",
    "assign",
    "both_passes",
    "compiled_forward",
    "configure",
    "derived_by_size",
    "dropout",
    "forget_gradients",
    "fuse",
    "idle_memory",
    "is_out_of_memory",
    "snapshot",
    "traced",
    "unoptimized",
    "value_of",
    "version",
    "with_gradients",
]
