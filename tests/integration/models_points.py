from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.training.hyperparameters import Hyperparameters
from spaces.catalogue import RULES

IMAGE_SHAPE = (28, 28, 1)
CLASSES = 47


def point(architecture: str, **values: Any) -> Hyperparameters:
    """The defaults of the architecture, but for `values`."""
    defaults = {name: rule.default_for(architecture) for name, rule in RULES.items()}
    return Hyperparameters.from_dict({**defaults, "architecture": architecture, **values})


def some_images(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape or (2, *IMAGE_SHAPE), dtype=np.uint8)
