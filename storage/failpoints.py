"""Named places at which a test can make this process die, stand still, fail or wait.

`HPSEARCH_FAILPOINT=NAME:ACTION` or `NAME:ACTION:N`, for the N-th passing only. Only tests set it.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

VARIABLE = "HPSEARCH_FAILPOINT"

NAMES = frozenset({"created", "leased", "judged", "spooled", "decided", "told", "reaped", "paused"})
"""`created`: a trial is in Optuna's table, not yet in the ledger. `leased`: it is, and nobody has beaten.
`judged`: a checkpoint is on disk, its judgement not in the store. `spooled`: a result is in its file
only. `decided`: it is fixed in the ledger, and Optuna knows nothing. `told`: Optuna knows it, and
the ledger has not ended. `reaped`: a lease was taken away, and nothing more was done. `paused`: a
pause is noted on the trial, and the lease is still held."""

_SLEEP_SECONDS = 10.0
_passed: Counter[str] = Counter()


class FailpointError(RuntimeError):
    """Raised where a test asked for it."""


def passing(name: str) -> None:
    """Do here what the variable says, if it names this place."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    place, action, nth = [*wanted.split(":"), "0"][:3]
    if place not in NAMES or action not in _ACTIONS:
        raise ValueError(f"{VARIABLE} must be NAME:ACTION, but is {wanted!r}")
    if place == name:
        _passed[name] += 1
        if int(nth) in (0, _passed[name]):
            _ACTIONS[action]()


def _fail() -> None:
    raise FailpointError("a test asked for this")


_ACTIONS = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "sleep": lambda: time.sleep(_SLEEP_SECONDS),
    "raise": _fail,
}
