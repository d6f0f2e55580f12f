"""The crew: this machine's workers on one study, while one `start` watches over them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from search import machine, signals
from search.errors import SearchError
from search.signals import EndRequest
from search.view.live import LiveTable
from search.view.status import StudyView, view
from search.worker import keepsakes
from search.worker.closing import end_if_over
from search.worker.patience import Patience
from storage.files import safe_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from search.request import Request
    from search.signals import SignalEvent
    from search.study import Study
    from storage.store import Store

LOOK_SECONDS = 1.0  # between two looks at the store for the live table
GRACE_SECONDS = 120.0  # for workers to end in order, after the deadline or Ctrl-C


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a run of workers came to its end."""

    view: StudyView
    is_interrupted: bool
    """Ctrl-C, SIGTERM or SIGHUP ended it: the workers have given their trials back."""


def run(store: Store, study: Study, request: Request, say: Callable[[str], None]) -> Run:
    """Run this machine's workers until the study needs them no more, or Ctrl-C; a live table meanwhile.

    Raises:
        SearchError: if no worker could work.
    """
    with EndRequest() as request_to_end:
        crew = Crew(store, study.name, request.space.data.source, machine.shares(request.workers))
        try:
            _watch(crew, study, request_to_end.event)
            is_interrupted = request_to_end.event.is_set()
            if is_interrupted:
                with suppress(OSError):  # the terminal may be gone
                    say("\nending in order: running trials are being given back (Ctrl-C again leaves at once) …")
                crew.dismiss()
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            request_to_end.settle()
            crew.kill()
    if not is_interrupted:
        crew.check()
    return Run(view=view(store, study.name), is_interrupted=is_interrupted)


def _watch(crew: Crew, study: Study, asked_to_end: SignalEvent) -> None:
    """Show how it goes until the workers have ended, or this process is asked to end."""
    store = study.store
    patience = Patience(store)
    with LiveTable() as table:
        while crew.is_working() and not asked_to_end.is_set():
            # A store that is away for a while ends no worker, and so it must not end who watches over them.
            if (seen := patience.tries(lambda: view(store, study.name))) is not None:
                table.show(seen)
            asked_to_end.wait(LOOK_SECONDS)
        if not asked_to_end.is_set():
            patience.until_done(lambda: _close(study, is_served=crew.has_served()), asked_to_end)
            table.show(view(store, study.name), is_last=True)


class Crew:
    """The worker processes that one `start` runs."""

    def __init__(self, store: Store, study: str, source: str, shares: machine.Shares) -> None:
        """Start them; each writes its log into the store's folder of logs.

        Args:
            store: that has the study.
            study: its name.
            source: where this machine has the data; not always where the study says.
            shares: how many, and threads of each.
        """
        # The address goes by the environment: arguments can be read by everybody.
        environment = {
            **os.environ,
            "HPSEARCH_STORAGE": store.url.full,
            "HPSEARCH_FILES": str(store.files.root.absolute()),
        }
        options = ["--drain", f"--data={source}", "--threads", str(shares.threads)]
        command = [sys.executable, "-P", "-m", "search", "worker", *options, "--", study]
        self._logs = [store.files.logs / f"{safe_name(study)}-worker-{n}.log" for n in range(shares.workers)]
        self._processes = [_started(command, environment | _gpu(worker), log) for worker, log in enumerate(self._logs)]

    def is_working(self) -> bool:
        """Whether any of them still runs."""
        return any(process.poll() is None for process in self._processes)

    def has_served(self) -> bool:
        """Whether any of them came to its end in order."""
        return any(process.returncode == 0 for process in self._processes)

    def dismiss(self) -> None:
        """Ask them to give their trials back, and wait; a second Ctrl-C cuts the waiting short."""
        for process in self._processes:
            process.send_signal(signals.IN_ORDER)
        until = time.monotonic() + GRACE_SECONDS
        while self.is_working() and time.monotonic() < until:
            time.sleep(0.1)

    def kill(self) -> None:
        """End those that are left: at once, but so that they can still say that no attempt counts."""
        for process in self._processes:
            process.send_signal(signals.AT_ONCE)
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()

    def check(self) -> None:
        """Raise where all of them failed: nothing was searched then.

        Raises:
            SearchError: with the last line of a log.
        """
        if all(process.returncode != 0 for process in self._processes):
            log = self._logs[0]
            lines = log.read_text(errors="replace").strip().splitlines()
            raise SearchError(f"no worker could work: {lines[-1] if lines else 'no word'} (see {log})")


def _gpu(worker: int) -> dict[str, str]:
    """The graphics processor of a worker, in turn: all of them would take the first one."""
    names = machine.gpus()
    return {machine.GPU_VARIABLE: names[worker % len(names)]} if names else {}


def _started(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        # A group of its own: Ctrl-C reaches `start` alone, which ends its workers in order.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, process_group=0
        )


def _close(study: Study, *, is_served: bool) -> bool:
    """End the study if it is over; where its workers left early, because nothing fitted any more, its time is up.

    Not so where all of them failed (`is_served`): others may be about to begin. Always True.
    """
    if not end_if_over(study) and is_served:
        with study.deciding():
            control = study.control()
            is_open = study.state() == "open" and control.deadline is not None
            if is_open and not any(trial.state == "running" for trial in study.trials()):
                study.set_control(replace(control, deadline=study.store.now(), margin=0.0))
    keepsakes.complete(study)
    return True
