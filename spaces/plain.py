"""A space as plain data, in the grammar of a space file with every default written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spaces.sections import PRUNER_OPTIONS

if TYPE_CHECKING:
    from spaces.space import Budget, Parameter, Space


def to_plain(space: Space) -> dict[str, Any]:
    """Dicts, lists and scalars for JSON.

    As in a file, but `search` is a list of single-key dicts: canonical JSON sorts keys, and the order
    of the parameters is kept.
    """
    plain: dict[str, Any] = {
        "study": space.study,
        "data": {
            "source": space.data.source, "validation": space.data.validation,
            "train_limit": space.data.train_limit, "seed": space.data.seed,
        },
        "objective": {"metric": space.objective.metric, "direction": space.objective.direction},
        "search": [{parameter.name: _parameter(parameter)} for parameter in space.search],
        "fixed": dict(space.fixed),
        "try_first": [{"name": p.name, **p.values} if p.name else dict(p.values) for p in space.try_first],
        "budget": _budget(space.budget),
        "sampler": {"name": space.sampler.name},
        "pruner": {
            "name": space.pruner.name,
            **{option: getattr(space.pruner, option) for option in PRUNER_OPTIONS[space.pruner.name]},
        },
    }  # fmt: skip
    if space.checkpoint is not None:
        plain["checkpoint"] = f"{space.checkpoint!r}s"
    if not any(parameter.name == "image_size" for parameter in space.search):
        plain["image"] = {"size": space.image_size}
    if space.builders:
        plain["builders"] = space.builders
    return plain


def as_in_file(plain: Any) -> Any:
    """What `to_plain` gave, with `search` as the mapping that a file has."""
    if not isinstance(plain, dict) or not isinstance(plain.get("search"), list):
        return plain
    search: dict[str, Any] = {}
    for entry in plain["search"]:
        search |= entry if isinstance(entry, dict) else {str(entry): None}
    return {**plain, "search": search}


def comparable(space: Space) -> dict[str, Any]:
    """What makes trials comparable, see `Space.hash`."""
    plain = to_plain(space)
    for key in ("study", "try_first", "checkpoint", "builders"):
        plain.pop(key, None)
    plain["data"] = {key: value for key, value in plain["data"].items() if key != "source"}
    plain["budget"] = {"epochs": space.budget.epochs}
    for entry in plain["search"]:
        for parameter in entry.values():
            parameter.pop("default", None)
    return plain


def _budget(budget: Budget) -> dict[str, Any]:
    time = None if budget.time is None else f"{budget.time!r}s"
    return {"epochs": budget.epochs, "trials": budget.trials, "time": time}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    if parameter.kind == "choice":
        plain["choice"] = list(parameter.choices)
    else:
        plain[parameter.kind] = [parameter.low, parameter.high]
    if parameter.step != 1:
        plain["step"] = parameter.step
    if parameter.log:
        plain["log"] = True
    if parameter.when:
        plain["when"] = {condition.name: list(condition.values) for condition in parameter.when}
    if parameter.default is not None:
        default = parameter.default
        plain["default"] = dict(default) if isinstance(default, Mapping) else default
    return plain
