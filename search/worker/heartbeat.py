"""The worker's pulse: renews its lease, says that it lives, and listens for the study's end."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from search.study import Study
    from search.worker.claim import Claim, Holder

BEAT_SECONDS = 3.0
BEATS_A_LEASE = 3  # at least: a beat or two may fail before the lease is lost

SAID_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Heartbeat:
    """Beats in a thread of its own for as long as one trial runs.

    Training never waits for it. A beat that the database does not answer is tried again: the
    lease outlives several.
    """

    def __init__(self, study: Study, claim: Claim, holder: Holder) -> None:
        """Prepare; the thread starts on entering the context."""
        self._study = study
        self._claim = claim
        self._holder = holder
        self._pause = min(BEAT_SECONDS, holder.lease / BEATS_A_LEASE)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._renewed_at = _clock()
        self._said_at = -SAID_SECONDS
        self.progress = ""
        """What the trial is doing, for `status`; set by whoever knows."""
        self.is_lost = False
        """The lease ran out and somebody else may have the trial: its trainer must be killed."""
        self.is_orphan = False
        """The study was deleted: there is nobody to train for."""
        self.ending: Literal["time", "stop"] | None = None
        """The study's time is up, or somebody asked for its end: the trial ends with what it has."""

    def __enter__(self) -> Self:
        """Start beating."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop beating."""
        self._stop.set()
        self._thread.join(timeout=BEAT_SECONDS * 2)

    def holds(self) -> bool:
        """Whether the lease is ours for certain; where the last answer is older than a lease, the store is asked.

        Asked before anything is written: a worker that was suspended must not touch what another one
        does with its trial. Nobody reaps a lease within its length and some more, see `storage.ledger.DOUBT`.

        Raises:
            StorageError: if the store has to be asked and does not answer.
        """
        if not self.is_lost and _clock() - self._renewed_at >= self._holder.lease:
            self._renew()
        return not self.is_lost

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._study.store.answering():
                    self._beat()
            except Exception as error:  # noqa: BLE001  an outage of the database, of whatever kind
                if _clock() - self._said_at >= SAID_SECONDS:
                    self._said_at = _clock()
                    logger.warning("no sign of life reaches the store (%s); trying again", type(error).__name__)
            self._stop.wait(self._pause)

    def _beat(self) -> None:
        ledger = self._study.store.ledger
        ledger.beat(self._holder.worker, self._study.name, self._claim.number, self.progress)
        self._renew()
        if not self._study.exists():
            self.is_orphan = True
            return
        state = self._study.state()
        if state == "out_of_time":
            self.ending = "time"
        elif state != "open":
            self.ending = "stop"

    def _renew(self) -> None:
        asked_at = _clock()
        if self._study.store.ledger.renew(self._claim.token, self._holder.lease):
            self._renewed_at = asked_at
        else:
            # Also so when the trial has just ended: then nobody looks at the flag any more.
            self.is_lost = True


def _clock() -> float:
    """Seconds, those in which this machine slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
