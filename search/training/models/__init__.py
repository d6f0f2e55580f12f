"""Networks: raw images in, logits out. Plain Keras, whatever runs beneath it."""

from __future__ import annotations

from search.training.models.errors import ModelError
from search.training.models.layers import all_layers, batch_norm_layers, is_normalised
from search.training.models.network import build_backbone, build_model, to_probabilities

__all__ = [
    "ModelError",
    "all_layers",
    "batch_norm_layers",
    "build_backbone",
    "build_model",
    "is_normalised",
    "to_probabilities",
]
