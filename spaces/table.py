"""A space as rows of text, as `hpsearch space check` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spaces.catalogue import RULES, Rule
from spaces.space import Parameter, Space


@dataclass(frozen=True, kw_only=True)
class Row:
    """One parameter of the trainer, as this space has it."""

    name: str
    kind: str
    """`choice`, `int` or `float` where it is searched, else `fixed` or `default`."""
    values: str
    """What it may be: `512 … 4096 step 512`."""
    when: str
    """Where it is asked; empty for everywhere."""
    default: str
    """Where a person would start: `0.0001 for VGG16, else 0.001`."""


def rows(space: Space) -> tuple[Row, ...]:
    """The searched parameters in the order in which they are asked, then the fixed ones, then the rest."""
    searched = {parameter.name for parameter in space.search}
    rest = [rule for rule in RULES.values() if rule.name not in searched]
    return (
        *(_searched(parameter, space) for parameter in space.search),
        *(_single(rule, "fixed", space) for rule in rest if rule.name in space.fixed),
        *(_single(rule, "default", space) for rule in rest if rule.name not in space.fixed and _means(rule, space)),
    )


def _searched(parameter: Parameter, space: Space) -> Row:
    return Row(
        name=parameter.name,
        kind=parameter.kind,
        values=parameter.describe(),
        when=" and ".join(condition.describe() for condition in parameter.when),
        default="" if parameter.name == "architecture" else _default(parameter, space),
    )


def _default(parameter: Parameter, space: Space) -> str:
    point_values = {
        name: point.values[parameter.name]
        for name, point in zip(space.architectures, space.default_points(), strict=True)
        if parameter.name in point.values
    }
    return _by_architecture(point_values)


def _single(rule: Rule, kind: str, space: Space) -> Row:
    values = {
        name: space.complete({"architecture": name})[rule.name] for name in space.architectures if rule.is_used_by(name)
    }
    users = "" if rule.architectures is None else f"architecture is {' or '.join(values)}"
    return Row(name=rule.name, kind=kind, values=_by_architecture(values), when=users, default="")


def _means(rule: Rule, space: Space) -> bool:
    return any(rule.is_used_by(name) for name in space.architectures)


def _by_architecture(values: Mapping[str, object]) -> str:
    """One value for all, or the common one last: `0.0001 for VGG16, else 0.001`."""
    counts = list(values.values())
    if not counts:
        return ""
    common = max(counts, key=counts.count)
    others = [f"{value} for {name}" for name, value in values.items() if value != common]
    return ", ".join(others) + (f", else {common}" if others else str(common))
