"""What can be wrong with a network that was asked for."""

from __future__ import annotations


class ModelError(ValueError):
    """A network cannot be built: unknown architecture, wrong parameter, or a builder that is refused."""
