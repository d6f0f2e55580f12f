"""A parameter that is searched: its values, and where it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from spaces.catalogue import RULES, Kind, Scalar
from spaces.errors import shown


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Holds where the parameter `name` is asked (or fixed) and has one of `values`."""

    name: str
    values: tuple[Scalar, ...]

    def describe(self) -> str:
        """In words: `architecture is VGG16 or VGG19`."""
        return f"{self.name} is {' or '.join(str(value) for value in self.values)}"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter that is searched."""

    name: str
    kind: Kind
    choices: tuple[Scalar, ...] = ()
    """The values of a choice; empty for the other kinds."""
    low: float = 0
    high: float = 0
    """Both ends belong to the range; 0 for a choice."""
    step: int = 1
    """Distance of two values of an `int`; 1 for the other kinds."""
    log: bool = False
    """Whether the logarithm is searched evenly."""
    when: tuple[Condition, ...] = ()
    """The parameter is asked only where all of them hold."""
    default: Scalar | Mapping[str, Scalar] | None = None
    """Where a person would start: a value, or one by architecture (`else` for the others)."""

    def contains(self, value: object) -> bool:
        """Whether the value is in the range, or among the choices."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        if self.kind == "choice":
            return value in self.choices
        if isinstance(value, str) or not self.low <= value <= self.high:
            return False
        return self.kind == "float" or (isinstance(value, int) and (value - self.low) % self.step == 0)

    def values(self) -> Iterator[Scalar]:
        """All values in order; raises ValueError where there are infinitely many."""
        if self.kind == "choice":
            return iter(self.choices)
        if self.kind == "int":
            return iter(range(int(self.low), int(self.high) + 1, self.step))
        if self.low == self.high:
            return iter((self.low,))
        raise ValueError(
            f"a grid needs parameters with single values, but {self.name} is continuous ({self.describe()}); "
            f"write it as {{choice: [...]}}, or take another sampler"
        )

    def nearest(self, value: Scalar | None) -> Scalar:
        """The value of the parameter that is nearest to the given one; the first choice where none is near."""
        if self.kind == "choice":
            return self._nearest_choice(value)
        assert isinstance(value, int | float)
        bounded = min(max(value, self.low), self.high)
        if self.kind == "float":
            return float(bounded)
        return int(self.low) + round((bounded - self.low) / self.step) * self.step

    def start(self, architecture: str) -> Scalar:
        """Where a person would start with the architecture: the space's default, else the trainer's nearest."""
        given = self.default
        if isinstance(given, Mapping):
            given = given.get(architecture, given.get("else"))
        if given is not None:
            return given
        rule = RULES[self.name]
        return self.nearest(rule.defaults.get(architecture, rule.default))

    def describe(self) -> str:
        """The values in words: `VGG16, MobileNet`, `512 … 4096 step 512`, `1e-05 … 0.01 log`."""
        if self.kind == "choice":
            return ", ".join(str(value) for value in self.choices)
        step = f" step {self.step}" if self.step != 1 else ""
        return f"{self.low} … {self.high}{step}{' log' if self.log else ''}"

    def problem(self, value: object) -> str | None:
        """What is wrong with a value; None if nothing is."""
        if self.contains(value):
            return None
        rule = "must be one of" if self.kind == "choice" else "must lie in"
        return f"{rule} {self.describe()}, but got {shown(value)}"

    def _nearest_choice(self, value: Scalar | None) -> Scalar:
        if value in self.choices:
            assert value is not None
            return value
        numbers = [choice for choice in self.choices if isinstance(choice, int | float)]
        if isinstance(value, str) or value is None or not numbers:
            return self.choices[0]
        return min(numbers, key=lambda choice: abs(choice - value))
