"""YAML text to nodes, by the core schema of YAML 1.2 and no further.

The tree is built from parser events: nothing is constructed, so nothing can be executed, and
what a space file never needs (tags, aliases, a second document) is refused where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from spaces.errors import shown
from spaces.nodes import NOWHERE, Node, Place, Problems, child_path

MAX_CHARACTERS = 32_768  # read in half a second; the longest shipped space file has a tenth of it
MAX_DEPTH = 12

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_MAX_DIGITS = 100
_TUPLE = re.compile(r"\(('<[^']*>'),\)")


def parse_yaml(text: str, problems: Problems) -> Node:
    """The one document in the text.

    Raises:
        SpaceError: if the text is no YAML, or is too large; other problems are added to `problems`.
    """
    if len(text) > MAX_CHARACTERS:
        problems.add(Node(None, ""), f"must have at most {MAX_CHARACTERS:,} characters: this is no space file")
        problems.check()
    return _Builder(text, problems).document()


def parse_scalar(text: str) -> bool | int | float | str | None:
    """The value of an unquoted YAML 1.2 scalar: `1e-3` is a number, `on` and `no` are words."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_DIGITS:
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _INFINITE.fullmatch(text):
            return float(text.replace(".", ""))
    return text


class _Builder:
    """Builds nodes from the events of one text."""

    def __init__(self, text: str, problems: Problems) -> None:
        self._problems = problems
        self._events = self._read(text)

    def document(self) -> Node:
        next(self._events)  # the stream begins
        event = next(self._events)
        if type(event).__name__ == "StreamEndEvent":
            return Node(None, "", Place(1, 1), Place(1, 1))
        root = self._node(next(self._events), "", NOWHERE, 0)
        next(self._events)  # the document ends
        after = next(self._events)
        if type(after).__name__ != "StreamEndEvent":
            self._problems.add(Node(None, "", _place(after)), "a space file is one document, but here begins another")
        return root

    def _read(self, text: str) -> Iterator[Any]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError
        from ruamel.yaml.reader import ReaderError

        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(mark.line + 1, mark.column + 1) if mark else NOWHERE
            self._refuse(place, f"is not YAML: {_one_line(error.context)}{_one_line(error.problem)}".rstrip(": "))
        except ReaderError as error:
            before = text[: error.position].split("\n")
            place = Place(len(before), len(before[-1]) + 1)
            self._refuse(place, f"is not YAML: the control character #x{error.character:02x} is not allowed")

    def _refuse(self, place: Place, message: str) -> None:
        self._problems.add(Node(None, "", place), message)
        self._problems.check()

    def _node(self, event: Any, path: str, key_place: Place, depth: int) -> Node:
        kind, place = type(event).__name__, _place(event)
        if kind == "ScalarEvent" and event.implicit[0] and not event.value and key_place != NOWHERE:
            place = key_place  # nothing written after the key: YAML's own place is the next line
        here = Node(None, path, place, key_place if key_place != NOWHERE else place)
        if depth > MAX_DEPTH:
            self._refuse(place, f"must not be nested deeper than {MAX_DEPTH} levels")
        if kind == "AliasEvent":
            self._problems.add(here, f"aliases are not allowed: write the value out instead of *{event.anchor}")
            return here
        if event.tag is not None:
            self._problems.add(here, f"tags are not allowed, but got {shown(event.tag)}: write the plain value")
        if kind == "ScalarEvent":
            value = parse_scalar(event.value) if event.implicit[0] else event.value
        elif kind == "SequenceStartEvent":
            value = self._items(path, depth)
        else:
            value = self._entries(path, depth)
        return Node(value, here.path, here.place, here.key_place)

    def _items(self, path: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._node(event, f"{path}[{len(items)}]", NOWHERE, depth + 1))
        return tuple(items)

    def _entries(self, path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key, place = self._key(event, path, depth), _place(event)
            entry = self._node(next(self._events), child_path(path, key), place, depth + 1)
            if key in entries:
                first = entries[key].key_place.line
                self._problems.add(
                    entry, f"equal keys are not allowed: {shown(key)} stands already in line {first}", at_key=True
                )
            else:
                entries[key] = entry
        return entries

    def _key(self, event: Any, path: str, depth: int) -> str:
        if type(event).__name__ == "ScalarEvent":
            return str(event.value)
        wrong = self._node(event, path, NOWHERE, depth + 1)
        self._problems.add(wrong, f"a key must be a word, but got {shown(wrong.plain())}")
        return "?"


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _one_line(text: str | None) -> str:
    # Where the parser names a token, it gives a tuple of one.
    words = _TUPLE.sub(r"\1", text or "").split()
    return f"{' '.join(words)}: " if words else ""
