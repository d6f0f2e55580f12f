"""The worker's end of the pipe: start a trainer, speak with it, end it."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from search import cgroups, machine, signals
from search.errors import TrainerError
from search.training import encoding
from search.training.messages import Quit

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.training.messages import Command, Event

START_SECONDS = 180.0  # importing TensorFlow on a cold, busy machine
QUIT_SECONDS = 10.0
LOOK_SECONDS = 0.2  # between two looks whether an answer is still wanted
LOG_LINES = 20
KEPT_SHARE = 0.6  # of what a trainer may take before it is replaced: the rest is for the trial that runs

_SECRETS = ("HPSEARCH_STORAGE", "PGPASSWORD", "PGPASSFILE", "PGUSER", "PGHOST", "PGSERVICE")


class TrainerDiedError(TrainerError):
    """The trainer ended without being asked; `signal` is the one that killed it, if one did."""

    def __init__(self, returncode: int, log: str, *, is_out_of_memory: bool = False) -> None:
        """Keep how the process ended and the last lines it wrote.

        `is_out_of_memory` says that the kernel has killed a process for want of memory meanwhile.
        """
        self.signal = signal.Signals(-returncode).name if returncode < 0 else None
        self.log = log
        self.is_out_of_memory = is_out_of_memory and self.signal == "SIGKILL"
        """Whether the kernel killed it because memory ran out, for certain."""
        want = " for want of memory" if self.is_out_of_memory else ""
        how = f"was killed by {self.signal}{want}" if self.signal else f"exited with status {returncode}"
        super().__init__(f"the trainer {how}")


class Trainer:
    """One child process that imports Keras once and trains many trials.

    It has no database credentials, its own process group, and its output in a log file.
    """

    def __init__(self, threads: int, log: Path) -> None:
        """Start the process; `receive` gives its `Ready` seconds later."""
        self.log = log
        self.memory_share = machine.memory_share(threads)
        """Bytes of memory that it may hold before it has to be replaced."""
        log.parent.mkdir(parents=True, exist_ok=True)
        commands_read, commands_write = os.pipe()
        events_read, events_write = os.pipe()
        with log.open("ab") as output, signals.unheard_by_child():
            self._process = subprocess.Popen(
                [
                    sys.executable, "-P", "-m", "search.training",
                    "--commands", str(commands_read), "--events", str(events_write),
                    "--threads", str(threads), "--memory", str(int(KEPT_SHARE * self.memory_share)),
                ],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                pass_fds=(commands_read, events_write), env=_environment(), process_group=0,
            )  # fmt: skip
        os.close(commands_read)
        os.close(events_write)
        self._oom_kills = cgroups.oom_kills()
        """As of the last command."""
        self._commands = commands_write
        self._events = events_read
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(events_read, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def memory(self) -> int:
        """Resident memory of the child in bytes; 0 when it is gone."""
        import psutil

        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def send(self, command: Command) -> None:
        """Send a command; raises TrainerDiedError if the child is gone."""
        data = encoding.encode(command)
        self._oom_kills = cgroups.oom_kills()
        try:
            while data:
                data = data[os.write(self._commands, data) :]
        except BrokenPipeError:
            raise self._death() from None

    def receive(self, timeout: float) -> Event | None:
        """The next event; None when there is none within `timeout` seconds.

        Raises:
            TrainerDiedError: if the child has ended and everything it said has been read.
        """
        until = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if not self._selector.select(max(0.0, until - time.monotonic())):
                return None
            chunk = os.read(self._events, 65536)
            if not chunk:
                raise self._death()
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        event: Event = encoding.decode(line)
        return event

    def request(
        self, command: Command | None, timeout: float, is_unwanted: Callable[[], bool] = lambda: False
    ) -> Event:
        """Send a command and wait for its one answer, which `is_unwanted` may say is needed no more.

        Raises:
            TrainerError: if there is no answer within `timeout` seconds, or none is wanted.
        """
        if command is not None:
            self.send(command)
        until = time.monotonic() + timeout
        while (event := self.receive(min(LOOK_SECONDS, timeout))) is None:
            if is_unwanted():
                raise TrainerError("the trainer's answer was awaited no longer")
            if time.monotonic() >= until:
                raise TrainerError(f"the trainer gave no answer for {timeout:.0f} s; its log is {self.log}")
        return event

    def last_lines(self) -> str:
        """The end of the log, for a trial that failed."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])
        except OSError:
            return ""

    def kill(self) -> None:
        """End the child and its whole process group at once."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        self._close()

    def quit(self) -> None:
        """Ask the child to end; kill it when it does not."""
        try:
            self.send(Quit())
            self._process.wait(QUIT_SECONDS)
        except (TrainerDiedError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def __enter__(self) -> Self:
        """Use as a context manager: the child never outlives the block."""
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """End the child; at once where the block did not come to its end."""
        if error is None:
            self.quit()
        else:
            self.kill()

    def _death(self) -> TrainerDiedError:
        try:
            self._process.wait(QUIT_SECONDS)
        except subprocess.TimeoutExpired:  # it closed the pipe, but lives
            os.killpg(self.pid, signal.SIGKILL)
        kills = cgroups.oom_kills()
        is_out_of_memory = kills is not None and self._oom_kills is not None and kills > self._oom_kills
        return TrainerDiedError(self._process.wait(), self.last_lines(), is_out_of_memory=is_out_of_memory)

    def _close(self) -> None:
        if self._commands >= 0:
            self._selector.close()
            os.close(self._commands)
            os.close(self._events)
            self._commands = self._events = -1


def started(threads: int, log: Path, is_unwanted: Callable[[], bool] = lambda: False) -> Trainer:
    """Start a trainer and wait until it is ready, or `is_unwanted` says that it is needed no more.

    Raises:
        TrainerError: if it does not come up; the message names its log.
    """
    trainer = Trainer(threads, log)
    try:
        trainer.request(None, START_SECONDS, is_unwanted)
    except TrainerError as error:
        trainer.kill()
        raise TrainerError(f"{error} while it started; its log is {log}") from error
    except BaseException:  # a second signal
        trainer.kill()
        raise
    return trainer


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _SECRETS}
