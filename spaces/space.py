"""A search space, read and checked: what everything else works with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from spaces.catalogue import RULES, Scalar
from spaces.parameter import Condition, Parameter

__all__ = ["Budget", "Condition", "DataPart", "Objective", "Parameter", "Point", "Pruner", "Sampler", "Space"]


@dataclass(frozen=True, kw_only=True)
class DataPart:
    """Which images are searched on."""

    source: str
    validation: float = 0.1
    """Share of the training part that is cut off for validation, unless the source brings a validation part."""
    train_limit: int | None = None
    """Training images at most; None for all."""
    seed: int = 0
    """Decides which images go to validation."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What is made as large, or as small, as possible."""

    metric: str = "val_accuracy"
    direction: Literal["maximize", "minimize"] = "maximize"


@dataclass(frozen=True, kw_only=True)
class Point:
    """Values of all parameters that are asked together."""

    name: str | None
    values: Mapping[str, Scalar]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Where a trial, and where a search ends."""

    epochs: int = 50
    trials: int | None = None
    """None: no limit."""
    time: float | None = None
    """Seconds; None: no limit."""


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """How the next point is chosen."""

    name: Literal["tpe", "random", "gp", "grid"] = "tpe"


@dataclass(frozen=True, kw_only=True)
class Pruner:
    """How trials that are not worth their time are found.

    `asha` pauses trials at rungs and promotes the best (Li et al., 2020); `hyperband` is Li et al.
    (2018); `median` stops what is worse than the median of the trials before it.
    """

    name: Literal["asha", "hyperband", "median", "none"] = "asha"
    min_images: int = 1500
    """The first rung, in training images seen (asha)."""
    min_epochs: int = 1
    """The first rung (hyperband)."""
    reduction_factor: int = 3
    """One of so many goes on at each rung (asha, hyperband)."""
    startup_trials: int = 5
    """Trials that are never stopped, at the beginning (median)."""
    warmup_epochs: int = 1
    """Epochs in which no trial is stopped (median)."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """A whole space file, checked and complete. Made by `spaces.reader`."""

    study: str
    """Name of the study, where none is given."""
    data: DataPart
    image_size: int
    """Side of the image, in pixels, where `image_size` is not searched."""
    objective: Objective
    search: tuple[Parameter, ...]
    """In the order of the file, save that a condition comes after what it depends on."""
    fixed: Mapping[str, Scalar]
    try_first: tuple[Point, ...]
    budget: Budget
    sampler: Sampler
    pruner: Pruner
    checkpoint: float | None = None
    """Seconds after which a checkpoint is written between two judgements, too; None: only at each of them."""
    builders: str | None = None
    """Absolute path of the folder with the user's own architectures; None: there are none."""

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures that are searched, or the one that is fixed."""
        searched = (p.choices for p in self.search if p.name == "architecture")
        fixed = (value for name, value in self.fixed.items() if name == "architecture")
        return tuple(str(name) for name in next(searched, tuple(fixed)))

    @property
    def hash(self) -> str:
        """sha256 (hex) over what makes trials comparable; equal hashes may share a study.

        Left out is what only says where a search begins and ends (`try_first`, defaults, trials,
        time), the study's name, and paths, which differ between machines: the data have a
        fingerprint of their own.
        """
        import hashlib

        from spaces.plain import comparable

        return hashlib.sha256(_canonical(comparable(self)).encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: the same text for equal spaces; `from_json` gives an equal space."""
        from spaces.plain import to_plain

        return _canonical(to_plain(self))

    @classmethod
    def from_json(cls, text: str) -> Space:
        """The space that `to_json` wrote; raises SpaceError for any other text."""
        from spaces.reader import read_space_json

        return read_space_json(text)

    def with_overrides(self, settings: Sequence[str]) -> Space:
        """The space with keys changed, as by `--set`: `budget.epochs=3`, `search.dropout.float=[0, 0.3]`.

        The value is YAML; `null` takes a key away.

        Raises:
            SpaceError: for a text that is no setting, and where the result is no good space.
        """
        from spaces.overrides import overridden

        return overridden(self, settings)

    def active(self, values: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """The parameters that are asked, as far as the values so far tell.

        Ask the first one that has no value yet, and call again: a parameter with a condition
        appears when what it depends on has a value for which it holds.
        """
        asked: list[Parameter] = []
        known = dict(self.fixed)
        for parameter in self.search:
            if all(
                condition.name in known and known[condition.name] in condition.values for condition in parameter.when
            ):
                asked.append(parameter)
                if parameter.name in values:
                    known[parameter.name] = values[parameter.name]
        return tuple(asked)

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters of the trainer for one point.

        Searched values come first, then `fixed`, then the defaults of the architecture; None for
        what the architecture does not use.
        """
        known = {"image_size": self.image_size, "epochs": self.budget.epochs, **self.fixed, **values}
        architecture = str(known["architecture"])
        return {
            name: known.get(name, rule.default_for(architecture)) if rule.is_used_by(architecture) else None
            for name, rule in RULES.items()
        }

    def fill(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The point with the parameters that it lacks, each where a person would start.

        Whole numbers become floats where the trainer takes floats. Nothing is checked.
        """
        filled = {name: _normal(name, value) for name, value in values.items()}
        while missing := [p for p in self.active(filled) if p.name not in filled]:
            architecture = filled.get("architecture", self.architectures[0])
            filled[missing[0].name] = self._start(missing[0], str(architecture))
        order = {parameter.name: place for place, parameter in enumerate(self.search)}
        return dict(sorted(filled.items(), key=lambda entry: order.get(entry[0], len(order))))

    def default_points(self) -> tuple[Point, ...]:
        """Each architecture's default point: where a person would start with it."""
        searched = any(parameter.name == "architecture" for parameter in self.search)
        return tuple(
            Point(
                name=f"default {name}",
                values=MappingProxyType(self.fill({"architecture": name} if searched else {})),
            )
            for name in self.architectures
        )

    def grid(self) -> Iterator[dict[str, Any]]:
        """All points in order, the last parameter changing fastest.

        Raises:
            ValueError: naming the parameter, if one is continuous.
        """
        for parameter in self.search:
            parameter.values()
        return self._grid({})

    def check_point(self, values: Mapping[str, Any]) -> list[str]:
        """What keeps the point from being one of this space; empty if nothing does."""
        from spaces.points import point_problems

        return [f"{name}: {message}" for name, message in point_problems(self, values)]

    def _start(self, parameter: Parameter, architecture: str) -> Scalar:
        if parameter.name == "epochs" and parameter.default is None:
            return parameter.nearest(self.budget.epochs)
        return parameter.start(architecture)

    def _grid(self, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        missing = next((p for p in self.active(values) if p.name not in values), None)
        if missing is None:
            yield values
            return
        for value in missing.values():
            yield from self._grid({**values, missing.name: value})


def _normal(name: str, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return RULES[name].normal(value) if name in RULES and is_number else value


def _canonical(plain: object) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
