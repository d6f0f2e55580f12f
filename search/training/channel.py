"""The trainer's end of the pipe."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

from search.training import encoding

if TYPE_CHECKING:
    from search.training.messages import Command, Event


class Channel:
    """Commands in, events out, over two file descriptors.

    Every method raises EOFError once the worker has closed its end: nobody is left to train for.
    """

    def __init__(self, commands: int, events: int) -> None:
        """Take over both descriptors: `commands` is read, `events` is written."""
        self._commands = commands
        self._events = events
        self._buffer = b""
        self._returned: list[Command] = []

    def send(self, event: Event) -> None:
        """Write an event; blocks while the pipe is full."""
        data = encoding.encode(event)
        try:
            while data:
                data = data[os.write(self._events, data) :]
        except BrokenPipeError:
            raise EOFError("the worker is gone") from None

    def receive(self) -> Command:
        """The next command; blocks until there is one."""
        while (command := self.poll(wait=True)) is None:
            pass
        return command

    def poll(self, *, wait: bool = False) -> Command | None:
        """The next command, or None if there is none yet."""
        if self._returned:
            return self._returned.pop()
        while b"\n" not in self._buffer:
            if not wait and not select.select([self._commands], [], [], 0)[0]:
                return None
            chunk = os.read(self._commands, 65536)
            if not chunk:
                raise EOFError("the worker is gone")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        command: Command = encoding.decode(line)
        return command

    def give_back(self, command: Command) -> None:
        """Make `command` the next one again, for the reader that it is meant for."""
        self._returned.append(command)
