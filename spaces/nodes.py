"""A space file as a tree whose nodes know where they stand, and the problems found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spaces.errors import Problem, SpaceError, shown

MAX_PROBLEMS = 100
"""Reading ends here: a text with more problems is no space file."""


@dataclass(frozen=True)
class Place:
    """Line and column, from 1; None where there is no text."""

    line: int | None = None
    column: int | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class Node:
    """A value of a space file."""

    value: Any
    """None, a bool, int, float or str; a tuple of nodes; or a dict from key to node."""
    path: str
    """Keys from the top: `search.dropout.float`, `try_first[0].dropout`."""
    place: Place = NOWHERE
    key_place: Place = NOWHERE
    """Where the key of this value stands; the value's own place in a list."""

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


class Problems:
    """Collects what is wrong, so that a person sees all of it at once."""

    def __init__(self, file: str) -> None:
        """Begin with none; `file` is named in the messages."""
        self._file = file
        self._found: list[Problem] = []

    def add(
        self, node: Node, message: str, suggestion: str | None = None, *, names: str | None = None,
        at_key: bool = False,
    ) -> None:  # fmt: skip
        """Note a problem with a value, or with its key; see `Problem` for suggestion and names.

        Raises:
            SpaceError: when there are `MAX_PROBLEMS`.
        """
        place = node.key_place if at_key else node.place
        self._found.append(
            Problem(
                message=message,
                path=node.path,
                line=place.line,
                column=place.column,
                suggestion=suggestion,
                names=names,
            )
        )
        if len(self._found) >= MAX_PROBLEMS:
            self.check()

    def check(self) -> None:
        """Raise SpaceError with all that was found, if anything was."""
        if self._found:
            raise SpaceError(self._found, self._file)


def child_path(path: str, key: str) -> str:
    """The path of a key below a path; a key that no terminal should see is escaped and cut."""
    word = key if key.isprintable() and len(key) <= 60 else shown(key)
    return f"{path}.{word}" if path else word


def tree(plain: Any, path: str = "") -> Node:
    """The node of a value that came without a text, as from JSON."""
    if isinstance(plain, Mapping):
        return Node({str(key): tree(value, child_path(path, str(key))) for key, value in plain.items()}, path)
    if isinstance(plain, list | tuple):
        return Node(tuple(tree(value, f"{path}[{index}]") for index, value in enumerate(plain)), path)
    return Node(plain, path)
