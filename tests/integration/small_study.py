"""A small space and its data, for tests of studies that train nothing."""

from __future__ import annotations

from search.training.messages import DataLoaded

SPACE = """\
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-4, 1e-2], log: true}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 2}
"""
DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=list("0123456789"),
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip
