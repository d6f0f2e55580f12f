"""The space's parameters in Optuna's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

if TYPE_CHECKING:
    from spaces.space import Parameter, Space


def distribution(parameter: Parameter) -> BaseDistribution:
    """The distribution under which a value is recorded, so that a reader sees true values."""
    if parameter.kind == "choice":
        return CategoricalDistribution(parameter.choices)
    if parameter.kind == "int":
        return IntDistribution(
            int(parameter.low), int(parameter.high), log=parameter.log, step=int(parameter.step or 1)
        )
    return FloatDistribution(float(parameter.low), float(parameter.high), log=parameter.log)


def distributions(space: Space, values: dict[str, Any]) -> dict[str, BaseDistribution]:
    """The distributions of a point's parameters; raises KeyError for one that the space lacks."""
    parameters = {parameter.name: parameter for parameter in space.search}
    return {name: distribution(parameters[name]) for name in values}
