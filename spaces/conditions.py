"""Conditions: which parameters are asked where, in an order in which that can be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spaces import fields
from spaces.catalogue import RULES, Scalar
from spaces.errors import suggest
from spaces.nodes import Node, Problems
from spaces.space import Condition, Parameter


@dataclass(frozen=True, kw_only=True)
class Known:
    """What conditions may refer to."""

    node: Node
    """The section `search`."""
    parameters: Mapping[str, Parameter]
    """The parameters that could be read."""
    fixed: Mapping[str, Scalar]
    architectures: tuple[str, ...]
    unread: frozenset[str]
    """Parameters that a misspelt key may stand for."""


def with_conditions(known: Known, problems: Problems) -> tuple[Parameter, ...]:
    """The parameters with their conditions, each after those that it depends on.

    A parameter that only some architectures use is asked for these only, also where the file
    does not say so. Cycles, and conditions that never hold together, are problems.
    """
    parameters: dict[str, Parameter] = {}
    for name, parameter in known.parameters.items():
        when = known.node.value[name].value.get("when")
        conditions = _read(name, when, known, problems) if when else ()
        parameters[name] = replace(parameter, when=_with_users(name, when, conditions, known, problems))
    ordered = _ordered(parameters, known, problems)
    for parameter in ordered:
        _check_holds(parameter, parameters, known, problems)
    return ordered


def _read(name: str, node: Node, known: Known, problems: Problems) -> tuple[Condition, ...]:
    if not fields.is_mapping(node, problems, "names of parameters, each with the values for which it is asked"):
        return ()
    if name == "architecture":
        problems.add(node, "architecture is always asked: it takes no condition", at_key=True)
        return ()
    found = (_condition(parent, child, known, problems) for parent, child in node.value.items())
    return tuple(condition for condition in found if condition)


def _condition(parent: str, node: Node, known: Known, problems: Problems) -> Condition | None:
    children = fields.items(node, problems, "[first, second]") if isinstance(node.value, tuple) else (node,)
    if parent in known.fixed:
        return _on_fixed(parent, node, children, known, problems)
    if parent not in known.parameters:
        if parent not in known.node.value and parent not in known.unread:
            names = sorted({*(known.node.value.keys() & RULES.keys()), *known.fixed})
            message, those = "must be a parameter that is searched or fixed", f"these are: {', '.join(names)}"
            problems.add(node, message, suggest(parent, names), names=those, at_key=True)
        return None
    parameter = known.parameters[parent]
    if parameter.kind == "float":
        problems.add(node, f"{parent} is continuous: a condition needs a choice or a whole number", at_key=True)
        return None
    values = [RULES[parent].normal(c.value) for c in children if _is_value(c, parameter, problems)]
    return Condition(name=parent, values=tuple(dict.fromkeys(values))) if values else None


def _on_fixed(
    parent: str, node: Node, children: tuple[Node, ...], known: Known, problems: Problems
) -> Condition | None:
    value = known.fixed[parent]
    if any(child.value == value for child in children):
        return Condition(name=parent, values=(value,))
    problems.add(node, f"can never hold: {parent} is fixed to {value}, but got {fields.got(node)}", at_key=True)
    return None


def _is_value(node: Node, parameter: Parameter, problems: Problems) -> bool:
    value = node.plain()
    if parameter.contains(value):
        return True
    names = [str(choice) for choice in parameter.choices]
    message = f"can never hold: {parameter.name} {parameter.problem(value)}"
    problems.add(node, message, fields.suggestion(node, names))
    return False


def _with_users(
    name: str, when: Node | None, conditions: tuple[Condition, ...], known: Known, problems: Problems
) -> tuple[Condition, ...]:
    users = tuple(a for a in known.architectures if RULES[name].is_used_by(a))
    if len(users) == len(known.architectures):
        return conditions
    used_by = f"{name} is used by {' and '.join(RULES[name].architectures or ())} only"
    if not users:
        problems.add(known.node.value[name], f"{used_by}, and this space has none of these", at_key=True)
        return conditions
    given = next((condition for condition in conditions if condition.name == "architecture"), None)
    if given is None:
        asked = Condition(name="architecture", values=users)
        has_bad_one = when is not None and isinstance(when.value, dict) and "architecture" in when.value
        return conditions if has_bad_one else (asked, *conditions)
    if when is not None and (others := [value for value in given.values if value not in users]):
        node = when.value["architecture"]
        problems.add(node, f"{used_by}, but is asked for {', '.join(str(value) for value in others)}")
    return conditions


def _ordered(parameters: dict[str, Parameter], known: Known, problems: Problems) -> tuple[Parameter, ...]:
    placed: dict[str, Parameter] = {}
    left = dict(parameters)
    while left:
        free = next((p for p in left.values() if all(c.name not in left for c in p.when)), None)
        if free is None:
            _note_cycle(left, known, problems)
            break
        placed[free.name] = left.pop(free.name)
    return tuple(placed.values())


def _note_cycle(left: dict[str, Parameter], known: Known, problems: Problems) -> None:
    name = next(iter(left))
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(condition.name for condition in left[name].when if condition.name in left)
    cycle = [*path[path.index(name) :], name]
    node = known.node.value[cycle[0]].value["when"]
    problems.add(
        node,
        f"conditions must not form a circle, but each of these depends on the next: {', '.join(cycle)}",
        at_key=True,
    )


def _check_holds(parameter: Parameter, parameters: dict[str, Parameter], known: Known, problems: Problems) -> None:
    """Conditions are sets of values joined by `and`: they never hold if for one name no value is left."""
    possible: dict[str, set[Scalar]] = {}
    waiting = list(parameter.when)
    while waiting:
        condition = waiting.pop()
        left = possible.get(condition.name, set(condition.values)) & set(condition.values)
        if not left:
            node = known.node.value[parameter.name].value["when"]
            why = _why(condition.name, parameter, parameters)
            problems.add(node, f"can never hold: {why}", at_key=True)
            return
        possible[condition.name] = left
        waiting.extend(parameters[condition.name].when if condition.name in parameters else ())


def _why(name: str, parameter: Parameter, parameters: dict[str, Parameter]) -> str:
    """Who asks for what: the parameter itself, and those that it depends on."""
    lines: list[str] = []
    waiting = [parameter]
    seen: set[str] = set()
    while waiting:
        asked = waiting.pop(0)
        if asked.name in seen:
            continue
        seen.add(asked.name)
        lines += [f"{asked.name} needs {c.describe()}" for c in asked.when if c.name == name]
        waiting += [parameters[c.name] for c in asked.when if c.name in parameters]
    return ", and ".join(lines)
