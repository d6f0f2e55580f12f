"""`default` of a parameter: where a person would start, for all architectures or for each."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from spaces import fields
from spaces.catalogue import RULES, Scalar
from spaces.nodes import Node, Problems
from spaces.space import Parameter

ELSE = "else"


def with_default(parameter: Parameter, node: Node, architectures: tuple[str, ...], problems: Problems) -> Parameter:
    """The parameter with the default that stands in its entry `node`, if there is one."""
    default = node.value.get("default")
    if default is None:
        return parameter
    if parameter.name == "architecture":
        problems.add(default, "architecture takes no default: each one is tried first at its own", at_key=True)
        return parameter
    if not isinstance(default.value, dict):
        value = _value(parameter, default, problems)
        return parameter if value is None else replace(parameter, default=value)
    values: dict[str, Scalar] = {}
    for name, child in fields.entries(default, (*architectures, ELSE), problems).items():
        if (value := _value(parameter, child, problems)) is not None:
            values[name] = value
    return replace(parameter, default=MappingProxyType(values))


def _value(parameter: Parameter, node: Node, problems: Problems) -> Scalar | None:
    problem = parameter.problem(node.plain())
    if problem is None:
        return RULES[parameter.name].normal(node.value)
    problems.add(node, problem, fields.suggestion(node, [str(choice) for choice in parameter.choices]))
    return None
