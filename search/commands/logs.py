"""Where a worker's log goes: the terminal, one line an event."""

from __future__ import annotations

import logging
import sys

from search.calling import as_called
from search.texts import clean


class _OneLine(logging.Formatter):
    """Time and message; whatever a study's name or an error carries stays on one line."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(as_called(super().format(record)))


def log_to_terminal() -> None:
    """Log the worker's events to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("search")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
