"""Single points: those of `try_first`, those that a person adds later, and `fixed`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from spaces import fields
from spaces.builders import Builders
from spaces.catalogue import RULES, Scalar
from spaces.errors import shown
from spaces.nodes import Node, Problems
from spaces.ranges import read_value
from spaces.space import Parameter, Point, Space

MAX_NAME = 200


def point_problems(space: Space, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What keeps a point from being one of the space: parameter and message."""
    searched = {parameter.name: parameter for parameter in space.search}
    found = {
        name: problem for name, value in values.items() if (problem := _value_problem(space, searched, name, value))
    }
    asked = space.active(values)
    found |= {p.name: "is asked here, but has no value" for p in asked if p.name not in values}
    # One bad value settles what depends on it: that is not told again.
    unsettled = set(found)
    for parameter in space.search:
        if parameter in asked or parameter.name not in values:
            continue
        if not any(condition.name in unsettled for condition in parameter.when):
            found[parameter.name] = f"is only asked where {' and '.join(c.describe() for c in parameter.when)}"
        unsettled.add(parameter.name)
    return list(found.items())


def _value_problem(space: Space, searched: Mapping[str, Parameter], name: str, value: object) -> str | None:
    if name in searched:
        return searched[name].problem(value)
    if name in space.fixed:
        fixed = space.fixed[name]
        return None if value == fixed else f"is fixed to {fixed} in this space, but got {shown(value)}"
    return f"is not searched in this space; searched: {', '.join(searched)}"


def read_fixed(node: Node, problems: Problems, builders: Builders) -> dict[str, Scalar]:
    """The section `fixed`: the values that the trainer can take."""
    if not fields.is_mapping(node, problems, "the trainer's parameters"):
        return {}
    found: dict[str, Scalar] = {}
    for name, child in node.value.items():
        if name not in RULES:
            fields.unknown_parameter(child, name, problems)
        elif (value := read_value(RULES[name], child, problems, builders)) is not None:
            found[name] = value
    return found


def read_points(node: Node, problems: Problems, space: Space, unread: set[str]) -> tuple[Point, ...]:
    """The section `try_first`; parameters that a point leaves out start where a person would.

    Args:
        node: the section.
        problems: takes what is wrong.
        space: everything else of the file.
        unread: parameters with problems of their own: their values are not looked at.
    """
    if not isinstance(node.value, tuple):
        problems.add(node, f"must be a list of points such as [{{dropout: 0.1}}], but got {fields.got(node)}")
        return ()
    return tuple(
        point
        for child in node.value
        if fields.is_mapping(child, problems, "name, and the parameters that are searched")
        and (point := _point(child, problems, space, unread))
    )


def _point(node: Node, problems: Problems, space: Space, unread: set[str]) -> Point | None:
    children = dict(node.value)
    name = _name(children.pop("name"), problems) if "name" in children else None
    known = dict.fromkeys(("name", *(p.name for p in space.search), *space.fixed, *(unread & RULES.keys())))
    given: dict[str, Any] = {}
    for key, child in children.items():
        if key not in RULES:
            fields.unknown_key(child, key, tuple(known), problems)
        elif key not in unread:
            given[key] = child.plain()
    if "architecture" in unread or not _are_single(children, given, problems):
        return None
    values = space.fill(given)
    for key, message in point_problems(space, values):
        problems.add(children.get(key, node), message)
    if "architecture" not in {*given, *space.fixed}:
        problems.add(node, f"must name its architecture, one of: {', '.join(space.architectures)}")
    searched = {key: value for key, value in values.items() if key not in space.fixed}
    return Point(name=name, values=MappingProxyType(searched))


def _are_single(children: Mapping[str, Node], given: Mapping[str, Any], problems: Problems) -> bool:
    wrong = [key for key, value in given.items() if not isinstance(value, str | int | float)]
    for key in wrong:
        problems.add(children[key], f"must be a single value, but got {fields.got(children[key])}")
    return not wrong


def _name(node: Node, problems: Problems) -> str | None:
    value = node.value
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_NAME:
        return value
    problems.add(node, f"must be a line of text of at most {MAX_NAME} characters, but got {fields.got(node)}")
    return None
