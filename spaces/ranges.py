"""The section `search`: each parameter's values, without regard to the others."""

from __future__ import annotations

from typing import Any

from spaces import fields
from spaces.builders import Builders, architecture_problem
from spaces.catalogue import RULES, Kind, Rule, Scalar
from spaces.nodes import Node, Problems
from spaces.space import Parameter

_OPTIONS: dict[Kind, tuple[str, ...]] = {
    "choice": ("choice", "default", "when"),
    "int": ("int", "step", "log", "default", "when"),
    "float": ("float", "log", "default", "when"),
}
_MAX_STEP = 10**6  # where the range itself cannot be read
_FORMS = "{choice: [...]}, {int: [lowest, highest]} or {float: [lowest, highest]}"


def read_parameters(node: Node, problems: Problems, builders: Builders) -> dict[str, Parameter]:
    """The parameters whose values can be used, by name; conditions and defaults are still left out."""
    if not fields.is_mapping(node, problems, "the trainer's parameters"):
        return {}
    if not node.value:
        problems.add(node, "must name at least one parameter of the trainer, but is empty")
    found: dict[str, Parameter] = {}
    for name, child in node.value.items():
        if name not in RULES:
            fields.unknown_parameter(child, name, problems)
        elif parameter := _read(RULES[name], child, problems, builders):
            found[name] = parameter
    return found


def read_value(rule: Rule, node: Node, problems: Problems, builders: Builders) -> Scalar | None:
    """One value of a parameter, in the trainer's type; None where the trainer cannot take it."""
    if rule.name == "architecture":
        problem, near = architecture_problem(node.plain(), builders) or (None, None)
    else:
        problem, near = rule.problem(node.plain()), fields.suggestion(node, rule.allowed)
    if problem is None:
        return rule.normal(node.value)
    problems.add(node, problem, near)
    return None


def _read(rule: Rule, node: Node, problems: Problems, builders: Builders) -> Parameter | None:
    if not isinstance(node.value, dict):
        message = f"must be {_FORMS}, but got {fields.got(node)}; a single value belongs under `fixed`"
        problems.add(node, message)
        return None
    kind = _kind(node, problems)
    if kind is None:
        return None
    found = fields.entries(node, _OPTIONS[kind], problems)
    if kind == "choice":
        return _choice(rule, found, problems, builders)
    if rule.kind == "choice" or (rule.kind == "int") != (kind == "int"):
        form = "choice" if rule.kind == "choice" else rule.kind
        problems.add(found[kind], f"{rule.name} is {rule.describe()}; search it as {{{form}: [...]}}", at_key=True)
        return None
    return _range(rule, kind, found, problems)


def _kind(node: Node, problems: Problems) -> Kind | None:
    kinds = [kind for kind in _OPTIONS if kind in node.value]
    if len(kinds) == 1:
        return kinds[0]
    known = tuple(dict.fromkeys(option for options in _OPTIONS.values() for option in options))
    has_unknown = len(fields.entries(node, known, problems)) < len(node.value)
    if kinds or not has_unknown:
        problems.add(node, f"must be one of {_FORMS}, but has {' and '.join(kinds) or 'none of the three'}")
    return None


def _choice(rule: Rule, found: dict[str, Node], problems: Problems, builders: Builders) -> Parameter | None:
    children = fields.items(found["choice"], problems, "[first, second]")
    values = [read_value(rule, child, problems, builders) for child in children]
    for index, child in enumerate(children):
        if values[index] is not None and values[index] in values[:index]:
            problems.add(child, f"must stand in the list once, but {values[index]} is there twice")
    known = tuple(value for value in values if value is not None)
    return Parameter(name=rule.name, kind="choice", choices=known) if len(known) == len(children) > 0 else None


def _range(rule: Rule, kind: Kind, found: dict[str, Node], problems: Problems) -> Parameter | None:
    ends = _ends(rule, found[kind], problems)
    step = _step(found["step"], ends, problems) if "step" in found else 1
    log = _log(found["log"], ends, problems) if "log" in found else False
    if log and "step" in found:
        problems.add(found["step"], "step and log exclude each other: leave one of them out", at_key=True)
    if ends is None or step is None or log is None:
        return None
    return Parameter(name=rule.name, kind=kind, low=ends[0], high=ends[1], step=step, log=log)


def _ends(rule: Rule, node: Node, problems: Problems) -> tuple[Any, Any] | None:
    if not isinstance(node.value, tuple) or len(node.value) != 2:
        problems.add(node, f"must be [lowest, highest], but got {fields.got(node)}")
        return None
    low, high = (read_value(rule, child, problems, Builders()) for child in node.value)
    if low is None or high is None:
        return None
    if low > high:  # type: ignore[operator]  # both are numbers: the rule is no choice
        problems.add(node, f"must be [lowest, highest], but {low} is above {high}")
        return None
    return low, high


def _step(node: Node, ends: tuple[Any, Any] | None, problems: Problems) -> int | None:
    low, high = ends or (0, _MAX_STEP)
    step = fields.whole(node, problems, 1, max(1, high - low))
    if ends is None or step is None or (high - low) % step == 0:
        return step
    last = high - (high - low) % step
    message = f"must divide the range, but steps of {step} from {low} end at {last} or {last + step}, not at {high}"
    problems.add(node, message)
    return None


def _log(node: Node, ends: tuple[Any, Any] | None, problems: Problems) -> bool | None:
    if not isinstance(node.value, bool):
        problems.add(node, f"must be true or false, but got {fields.got(node)}")
        return None
    if node.value and ends and ends[0] <= 0:
        problems.add(node, f"a logarithm needs a range above 0, but the lowest value is {ends[0]}")
        return None
    return node.value
