"""What only some searches need, and does not come with hpsearch."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from search.errors import SearchError

if TYPE_CHECKING:
    from spaces.space import Space


def check_extras(space: Space) -> None:
    """Look for what the space's sampler needs, without importing it.

    Raises:
        SearchError: naming what is missing, and how to do without it.
    """
    if space.sampler.name == "gp" and importlib.util.find_spec("torch") is None:
        raise SearchError(
            "sampler gp needs PyTorch, which is not installed; `pip install torch`, or use `sampler: {name: tpe}`"
        )
