"""What a worker does while the store does not answer: wait, longer each time, and say so."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, TypeVar

from storage.errors import StorageError, StoreBusyError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from storage.store import Store

FIRST_SECONDS = 0.5
MOST_SECONDS = 15.0
SAID_SECONDS = 60.0
LEAVING_SECONDS = 10.0
"""For a worker that was asked to end while the store is away."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


def until_free(open_store: Callable[[], T]) -> T:
    """Open a store, waiting as long as its server has no connection left. Other troubles are raised at once."""
    pause = 0.0
    while True:
        try:
            return open_store()
        except StoreBusyError as error:
            if not pause:
                logger.warning("waiting for a connection: %s", error)
            pause = min(MOST_SECONDS, 2 * pause or FIRST_SECONDS)
        time.sleep(_unequal(pause))


def _unequal(seconds: float) -> float:
    """Somewhat less, by chance: those that were refused together should not come back together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311  nobody need be unable to guess it


class Patience:
    """One worker's view of an outage. No outage is so long that a worker ends of it."""

    def __init__(self, store: Store) -> None:
        """Begin with a store that answers."""
        self._store = store
        self._pause = 0.0
        self._again_at = 0.0
        self._began_at = 0.0
        self._said_at = 0.0

    def tries(self, action: Callable[[], T]) -> T | None:
        """Do something with the store if it is time to try; None if it is not, or the store does not answer."""
        if time.monotonic() < self._again_at:
            return None
        try:
            with self._store.answering():
                done = action()
        except StorageError as error:
            self._missed(error)
            return None
        self._answered()
        return done

    def until_done(self, action: Callable[[], T], leaving: threading.Event) -> T | None:
        """Do something with the store, however long that takes.

        None only if the worker was asked to end and the store did not answer for some seconds more.
        """
        until = None
        while (done := self.tries(action)) is None:
            if leaving.is_set():
                until = until or time.monotonic() + LEAVING_SECONDS
                if time.monotonic() > until:
                    return None
                time.sleep(min(self._pause, FIRST_SECONDS))
            else:
                leaving.wait(self._pause)
        return done

    def wait(self, leaving: threading.Event) -> None:
        """Wait until it is time to try again."""
        leaving.wait(max(0.0, self._again_at - time.monotonic()))

    def _missed(self, error: StorageError) -> None:
        now = time.monotonic()
        if not self._pause:
            self._began_at = now
        self._pause = min(MOST_SECONDS, 2 * self._pause or FIRST_SECONDS)
        self._again_at = now + _unequal(self._pause)
        if now - self._said_at >= SAID_SECONDS or self._began_at == now:
            self._said_at = now
            logger.warning("waiting for the store since %.0f s: %s", now - self._began_at, error)

    def _answered(self) -> None:
        if self._pause:
            logger.info("the store answers again, after %.0f s", time.monotonic() - self._began_at)
        self._pause = self._again_at = 0.0
