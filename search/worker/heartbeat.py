"""The worker's pulse: renews its lease, says that it lives, and listens for the study's end."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from search.study import Study
    from search.worker.claim import Claim, Holder

BEAT_SECONDS = 3.0
BEATS_A_LEASE = 3  # at least: a beat or two may fail before the lease is lost

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
        self.progress = ""
        """What the trial is doing, for `status`; set by whoever knows."""
        self.is_lost = False
        """The lease ran out and somebody else may have the trial: its trainer must be killed."""
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

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._beat()
            except Exception as error:  # noqa: BLE001  an outage of the database, of whatever kind
                logger.warning("the store does not answer (%s); trying again", type(error).__name__)
            self._stop.wait(self._pause)

    def _beat(self) -> None:
        ledger = self._study.store.ledger
        ledger.beat(self._holder.worker, self._study.name, self._claim.number, self.progress)
        if not ledger.renew(self._claim.token, self._holder.lease):
            # Also so when the trial has just ended: then nobody looks at the flag any more.
            self.is_lost = True
        state = self._study.state()
        if state == "out_of_time":
            self.ending = "time"
        elif state != "open":
            self.ending = "stop"
