"""The caretaker: looks after trials whose worker is gone, on a timer, in every worker."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from search.errors import StudyNotFoundError
from search.studies import PassedOver, forget_deleted
from search.study import Study
from search.worker.claim import MAX_LOST, give_up_exhausted
from search.worker.delivery import finish_others
from storage.failpoints import passing
from storage.ledger import DOUBT

if TYPE_CHECKING:
    from search.worker.claim import Holder
    from search.worker.spool import Spool
    from storage.store import Store

ROUND_SECONDS = 10.0
ROUNDS_A_LEASE = 3  # at least

logger = logging.getLogger(__name__)


class Caretaker:
    """Makes its rounds in a thread of its own for as long as the worker lives.

    Every step is whole by itself and is found by the next round of anybody if it was not done.
    """

    def __init__(self, store: Store, holder: Holder, spool: Spool) -> None:
        """Prepare; the thread starts on entering the context."""
        self._store = store
        self._spool = spool
        self._passed_over = PassedOver(logger.debug)  # the worker itself says it
        # Before a lease is reaped: then the result still counts, and nothing is trained again.
        self._left_seconds = DOUBT * holder.lease
        self._pause = min(ROUND_SECONDS, holder.lease / ROUNDS_A_LEASE)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)

    def __enter__(self) -> Self:
        """Start the rounds."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End them; one under way is not waited for long."""
        self._stop.set()
        self._thread.join(timeout=self._pause)

    def round(self) -> None:
        """Take trials from workers that gave no sign of life, give up those that lost too many, finish results."""
        for holding in self._store.ledger.reap():
            logger.info("trial %d of %s lost its worker, %s", holding.number, holding.study, holding.worker)
            passing("reaped")
        for name in {holding.study for holding in self._store.ledger.exhausted(MAX_LOST)}:
            with self._passed_over.over(name):
                self._give_up(name)
        finish_others(self._store, self._spool, self._left_seconds)

    def _give_up(self, name: str) -> None:
        try:
            study = Study(self._store, name)
        except StudyNotFoundError:  # it was deleted, and so was what it has in the ledger, but for this
            forget_deleted(self._store, name)
            return
        with study.deciding():
            give_up_exhausted(study)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._store.answering():
                    self.round()
            except Exception as error:  # noqa: BLE001  an outage, or one study's trouble: the next round comes
                logger.debug("a round was broken off: %s", error)
            self._stop.wait(self._pause)
