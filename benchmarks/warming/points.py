"""The trials of `warm_trials.py`, in the order in which a search might propose them."""

from __future__ import annotations

from typing import Any

POINTS: tuple[dict[str, Any], ...] = (
    {"architecture": "DenseNet121", "dropout": 0.0, "learning_rate": 1e-3},
    {"architecture": "MobileNet", "dropout": 0.0, "learning_rate": 1e-3},
    {"architecture": "EfficientNetB1", "dropout": 0.0, "learning_rate": 1e-3},
    {"architecture": "VGG16", "dropout": 0.0, "learning_rate": 1e-4},
    {"architecture": "DenseNet121", "dropout": 0.3, "learning_rate": 2e-3},
    {"architecture": "MobileNet", "head_width": 1024, "dropout": 0.1, "learning_rate": 4e-3},
    {"architecture": "DenseNet121", "head_layers": 2, "head_width": 1536, "dropout": 0.2, "learning_rate": 5e-4},
    {"architecture": "EfficientNetB1", "batch_size": 512, "dropout": 0.4, "learning_rate": 3e-3},
    {"architecture": "VGG16", "dropout": 0.3, "learning_rate": 3e-4},
    {"architecture": "MobileNet", "head_width": 1024, "dropout": 0.2, "learning_rate": 2e-3},
    {"architecture": "DenseNet121", "batch_size": 512, "dropout": 0.3, "learning_rate": 1e-3},
    {"architecture": "EfficientNetB1", "dropout": 0.1, "learning_rate": 5e-3},
    {"architecture": "VGG16", "head_layers": 2, "head_width": 1024, "dropout": 0.5, "learning_rate": 2e-4},
    {"architecture": "MobileNet", "batch_size": 768, "head_width": 2048, "dropout": 0.0, "learning_rate": 8e-3},
    {"architecture": "EfficientNetB1", "head_width": 2560, "dropout": 0.2, "learning_rate": 1e-3},
    {"architecture": "VGG16", "batch_size": 512, "dropout": 0.1, "learning_rate": 1e-4},
)
"""Batch size 256 and one dense layer of 512 where nothing else is said."""
