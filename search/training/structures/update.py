"""An optimizer's step over one part of a network, as a graph function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from search.training.structures.optimizers import make_optimizer
from search.training.tensorflow_runtime import traced

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from search.training.hyperparameters import Hyperparameters
    from search.training.structures.optimizers import Settings


class Update:
    """Changes the variables of one part by their gradients."""

    def __init__(self, variables: list[keras.Variable], hp: Hyperparameters, settings: Settings) -> None:
        """Trace it; what `settings` holds may change later without tracing again."""
        self._variables = variables
        self.optimizer = make_optimizer(variables, hp, settings)
        self._run: Callable[..., Any] | None = None
        if variables:  # an architecture of one's own may have none
            shapes = [(tuple(variable.shape), variable.dtype) for variable in variables]
            self._run = traced(self._apply, shapes)

    def restart(self) -> None:
        """Put the optimizer's own state to zero, as before the first step."""
        for variable in self.state:
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    @property
    def state(self) -> list[keras.Variable]:
        """Step count and moments."""
        variables: list[keras.Variable] = self.optimizer.variables
        return variables

    def __call__(self, gradients: list[Any]) -> None:
        """Take one step."""
        if self._run is not None:
            self._run(gradients)

    def _apply(self, gradients: list[Any]) -> None:
        self.optimizer.apply(list(gradients), self._variables)
