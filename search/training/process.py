"""The trainer as a process: what must be set before Keras is imported, and how it dies with its worker."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import logging
import os
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
"""Requests to end: the worker decides what becomes of the trial, and they may reach all processes at once."""
_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8
_N_ARENAS = 2
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_OOM_STEP = 500  # of 1,000


def prepare(threads: int) -> None:
    """Set the process up; call it once, before Keras or TensorFlow is imported.

    `threads` is the number of cores this trainer may use (at least 1). The backend is fixed to
    TensorFlow, whatever the user's own Keras configuration says.
    """
    if threads < 1:
        raise ValueError(f"a trainer needs at least one thread, but got {threads}")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # Off by default on processors without AVX-512, where networks train faster with it, too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # A fatal signal in compiled code leaves its Python stack in the log.
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _die_with_parent()
    _die_first()
    _limit_arenas()


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Import what is imported within as if these were not installed; those that are imported already are left alone.

    Keras looks for packages that it can do without, and imports them for things that no trainer does: that is much of
    the time before one is ready, and memory that each of them takes.
    """
    hidden = [name for name in packages if name not in sys.modules]
    blocked: dict[str, Any] = dict.fromkeys(hidden)  # Python's way to say that a module cannot be imported
    sys.modules.update(blocked)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def release_memory() -> None:
    """Collect garbage and give freed memory back to the system."""
    gc.collect()
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


def resident_memory() -> int:
    """Bytes of memory that this process takes now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def leave_signals_to_worker() -> None:
    """Ignore requests to end, those included that the worker held back while this process began."""
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, DEAF_TO)


def _die_with_parent() -> None:
    libc = _libc()
    if libc is None:
        return
    parent = os.getppid()
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the worker is gone")


def _die_first() -> None:
    # Where memory runs out, the kernel kills one process: better this one than the worker that knows what to do then.
    with suppress(OSError, ValueError):
        _OOM_SCORE.write_text(str(min(1000, int(_OOM_SCORE.read_text()) + _OOM_STEP)))


def _limit_arenas() -> None:
    # glibc keeps up to eight arenas a core, and what one of them has freed another cannot use:
    # a trainer that builds many networks would grow for no reason.
    libc = _libc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, _N_ARENAS)


def _libc() -> ctypes.CDLL | None:
    """The GNU C library, or None on a system without it (then memory is simply returned later)."""
    try:
        libc = ctypes.CDLL("libc.so.6", use_errno=True)
    except OSError:
        return None
    return libc if hasattr(libc, "malloc_trim") else None
