"""Requests to end: signals of terminals, batch systems and supervisors, and what a process makes of them.

They may reach every process of a search at once, and one process several times within an instant.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IN_ORDER = signal.SIGUSR1
"""Asks to end in order, however often it comes: `start` does not know what has reached its workers already."""
AT_ONCE = signal.SIGQUIT
"""Asks to end at once."""
SAME_SECONDS = 2.0
"""What comes within that time is one request: a supervisor may send SIGTERM and SIGHUP, a terminal SIGHUP twice."""
AGAIN_SECONDS = 0.5  # until a process that was asked twice, and did not hear, is told again

_TERMINALS: list[int] = []
"""Descriptors of this process that were a terminal when it began."""


class SignalEvent(threading.Event):
    """An event that the handler of a signal may set.

    The handler of `threading.Event` could wait for ever, for a lock that the code it interrupts holds.
    """

    def __init__(self) -> None:
        """Not set yet."""
        super().__init__()
        self._is_set = False
        self._wakings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake all who wait."""
        self._is_set = True
        self._wakings.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for `timeout` seconds; whether it is set."""
        if not self._is_set:
            try:
                self._wakings.get(timeout=timeout)
                self._wakings.put(None)  # for the next who waits
            except queue.Empty:
                pass
        return self._is_set


class EndRequest:
    """Within its block the first signal sets `event`, and a later one raises KeyboardInterrupt in the main thread."""

    def __init__(self, say: Callable[[str], None] = lambda _name: None) -> None:
        """`say` tells a person which signal came first, by its name."""
        self.event = SignalEvent()
        self._say = say
        self._came_at = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Listen."""
        for number in (*_ending(), signal.SIGINT, IN_ORDER, AT_ONCE, signal.SIGALRM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals to who had them before."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def settle(self) -> None:
        """Be quiet: what a second signal asked for is being done."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_signal(self, number: int, _frame: object) -> None:
        _leave_terminal(number)
        now = time.monotonic()
        is_again = self.event.is_set() and number != IN_ORDER and now - self._came_at > SAME_SECONDS
        if number in (AT_ONCE, signal.SIGALRM) or is_again:
            # Python drops an exception where a callback of a weak reference or a `__del__` was interrupted.
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
            self.event.set()
            raise KeyboardInterrupt
        if not self.event.is_set():
            self._came_at = now
            self.event.set()
            with suppress(RuntimeError):  # the signal came in the midst of a word to the same file
                self._say(signal.Signals(number).name)


def interrupt() -> None:
    """Make this process end on SIGTERM and SIGHUP as on Ctrl-C; SIGHUP stays ignored where it is, as under `nohup`."""
    _TERMINALS[:] = [descriptor for descriptor in (1, 2) if _is_terminal(descriptor)]
    for number in _ending():
        signal.signal(number, _interrupted)


@contextmanager
def unheard_by_child() -> Iterator[None]:
    """A process that is started within begins with requests to end held back, until it can say that it ignores them."""
    from search.training.process import DEAF_TO

    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending() -> list[signal.Signals]:
    """Signals besides Ctrl-C that ask this process to end."""
    is_left = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGTERM] if is_left else [signal.SIGTERM, signal.SIGHUP]


def _interrupted(number: int, _frame: object) -> None:
    _leave_terminal(number)
    raise KeyboardInterrupt


def _leave_terminal(number: int) -> None:
    """After SIGHUP the terminal is gone, and every further word to it would be an error."""
    if number == signal.SIGHUP and _TERMINALS:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in _TERMINALS:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        _TERMINALS.clear()


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
