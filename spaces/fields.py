"""Reading single values of a space file: each returns None where it has noted a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from spaces.catalogue import RULES
from spaces.durations import seconds_of
from spaces.errors import shown, suggest
from spaces.nodes import Node, Problems, child_path

NAME_RULE = "must be a name of at most 100 letters, digits, `-`, `_` and `.`, with a letter or digit first"
_MAX_NAME = 100
_NAME = re.compile(rf"\w[\w.-]{{0,{_MAX_NAME - 1}}}")


def entries(node: Node, allowed: Sequence[str], problems: Problems) -> dict[str, Node]:
    """The known keys of a mapping; each unknown one is a problem."""
    if not is_mapping(node, problems, ", ".join(allowed)):
        return {}
    for key, child in node.value.items():
        if key not in allowed:
            unknown_key(child, key, allowed, problems)
    return {key: child for key, child in node.value.items() if key in allowed}


def unknown_key(node: Node, key: str, allowed: Sequence[str], problems: Problems) -> None:
    """Note a key that is not among those allowed."""
    message = f"there is no key {shown(key)} here"
    problems.add(node, message, suggest(key, allowed), names=f"allowed: {', '.join(allowed)}", at_key=True)


def unknown_parameter(node: Node, name: str, problems: Problems) -> None:
    """Note a parameter that the trainer does not have."""
    message = f"the trainer has no parameter {shown(name)}"
    problems.add(node, message, suggest(name, RULES), names=f"it has: {', '.join(RULES)}", at_key=True)


def meant(node: Node | None) -> set[str]:
    """Parameters that the misspelt keys of `search` or `fixed` may stand for; any, where one is like none.

    What else is said of these follows from the misspelling, and would not help.
    """
    keys = node.value if node and isinstance(node.value, dict) else ()
    near = [suggest(key, RULES) for key in keys if key not in RULES]
    return set(RULES) if None in near else {name for name in near if name}


def is_mapping(node: Node, problems: Problems, keys: str) -> bool:
    """Whether the value has keys; `keys` says in the message which ones."""
    if isinstance(node.value, dict):
        return True
    problems.add(node, f"must have keys ({keys}), but got {got(node)}")
    return False


def items(node: Node, problems: Problems, example: str) -> tuple[Node, ...]:
    """The values of a list; empty where it is none, and where it is empty (a problem as well)."""
    if isinstance(node.value, tuple) and node.value:
        return node.value
    problems.add(node, f"must be a list such as {example}, but got {got(node)}")
    return ()


def one_of(node: Node, names: Sequence[str], problems: Problems) -> str | None:
    """One of some names."""
    if isinstance(node.value, str) and node.value in names:
        return node.value
    problems.add(node, f"must be one of: {', '.join(names)}; but got {got(node)}", suggestion(node, names))
    return None


def suggestion(node: Node, names: Iterable[str]) -> str | None:
    """The name that a wrong word was probably meant to be."""
    return suggest(node.value, names) if isinstance(node.value, str) else None


def whole(node: Node, problems: Problems, low: int, high: int) -> int | None:
    """A whole number."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    problems.add(node, f"must be a whole number from {low} to {high}, but got {got(node)}")
    return None


def share(node: Node, problems: Problems) -> float | None:
    """A number between 0 and 1, both excluded."""
    value = node.value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
        return float(value)
    problems.add(node, f"must be a number between 0 and 1, but got {got(node)}")
    return None


def name(node: Node, problems: Problems) -> str | None:
    """A name that may stand in a path, a table and an address."""
    if isinstance(node.value, str) and is_name(node.value):
        return node.value
    problems.add(node, f"{NAME_RULE}; but got {got(node)}")
    return None


def name_of_file(stem: str) -> str:
    """A name for the study of a space file that gives none: the file's own, with what a name may not have as `-`.

    >>> name_of_file("lenet (1)")
    'lenet-1'
    """
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:_MAX_NAME].rstrip("-.") or "study"


def is_name(text: str) -> bool:
    """Whether a text may be the name of a study."""
    return _NAME.fullmatch(text) is not None


def duration(node: Node, problems: Problems) -> float | None:
    """Seconds of a duration."""
    seconds = seconds_of(node.value) if isinstance(node.value, str) else None
    if seconds is None:
        problems.add(node, f"must be a duration from 1s to ten years, such as 90s, 30m or 8h, but got {got(node)}")
    return seconds


def got(node: Node) -> str:
    """What stands at a node, for a message."""
    if node.value is None:
        return "nothing"
    return shown(node.plain())


def missing(parent: Node, key: str, message: str, problems: Problems) -> None:
    """Note a key that must be there."""
    problems.add(Node(None, child_path(parent.path, key), parent.place, parent.key_place), message, at_key=True)
