"""What can be wrong with data."""

from __future__ import annotations


class DataError(ValueError):
    """A data source cannot be used; the message names the file, what is wrong, and the cure."""
