"""`--set KEY=VALUE`: a space with single keys changed, checked again as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spaces.errors import Problem, SpaceError, shown
from spaces.nodes import Problems
from spaces.plain import as_in_file, to_plain
from spaces.reader import read_space_plain
from spaces.yaml_text import parse_yaml

if TYPE_CHECKING:
    from spaces.space import Space

FILE = "--set"
"""Stands in messages where a file's name would."""


def overridden(space: Space, settings: Sequence[str]) -> Space:
    """See `Space.with_overrides`."""
    plain = as_in_file(to_plain(space))
    for setting in settings:
        path, value = parse_setting(setting)
        if path == "pruner.name" and value != space.pruner.name:
            plain["pruner"] = {}  # another pruner has other options
        _put(plain, path, value)
    return read_space_plain(plain, FILE, is_checked=True)


def parse_setting(setting: str) -> tuple[str, Any]:
    """Key and value of a text `KEY=VALUE`; the value is YAML, as in a space file.

    Raises:
        SpaceError: if it is no such text.
    """
    path, equals, text = setting.partition("=")
    if not equals or not all(path.split(".")):
        example = "budget.epochs=3 or search.dropout.float=[0, 0.3]"
        message = f"a setting is KEY=VALUE, such as {example}, but got {shown(setting)}"
        raise SpaceError([Problem(message=message, path="")], FILE)
    problems = Problems(f"{FILE} {path}")
    value = parse_yaml(text, problems).plain()
    problems.check()
    return path, value


def _put(plain: dict[str, Any], path: str, value: Any) -> None:
    """Set a key, making the sections on the way; None takes it away."""
    *parents, last = path.split(".")
    for depth, key in enumerate(parents, start=1):
        section = plain.setdefault(key, {})
        if not isinstance(section, dict):
            above = ".".join(parents[:depth])
            raise SpaceError(
                [Problem(message=f"has no keys to set: give its whole value, {above}=…", path=above)], FILE
            )
        plain = section
    if value is None:
        plain.pop(last, None)
    else:
        plain[last] = value
