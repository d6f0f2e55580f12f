"""An optimizer's step over one part of a network, as a graph function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from search.training.structures.optimizers import make_optimizer
from search.training.tensorflow_runtime import assign, snapshot, traced

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from search.training.hyperparameters import Hyperparameters
    from search.training.structures.optimizers import Settings


_TINY = 1e-30


class Update:
    """Changes the variables of one part by their gradients, and says what that does to one of its kernels."""

    def __init__(
        self, variables: list[keras.Variable], watched: int | None, hp: Hyperparameters, settings: Settings
    ) -> None:
        """Trace it; what `settings` holds may change later without tracing again.

        Args:
            variables: what it changes.
            watched: which of them is looked at, None for no one.
            hp: the kind of optimizer.
            settings: its numbers.
        """
        self._variables = variables
        self._watched = watched
        self.optimizer = make_optimizer(variables, hp, settings)
        self._run: Callable[..., Any] | None = None
        if variables:  # an architecture of one's own may have none
            shapes = [(tuple(variable.shape), variable.dtype) for variable in variables]
            self._run = traced(self._apply, shapes)

    def restart(self) -> None:
        """Put the optimizer's own state to zero, as before the first step."""
        assign(self.state, (np.zeros(variable.shape, variable.dtype) for variable in self.state))

    @property
    def state(self) -> list[keras.Variable]:
        """Step count and moments."""
        variables: list[keras.Variable] = self.optimizer.variables
        return variables

    def __call__(self, gradients: list[Any]) -> Any:
        """Take one step.

        Returns:
            Of the kernel that is watched (2,): L2 norm of its gradient, and ‖Δw‖ / ‖w‖ of this step;
            None where none is.
        """
        return None if self._run is None else self._run(gradients)

    def _apply(self, gradients: list[Any]) -> Any:
        if self._watched is None:
            self.optimizer.apply(list(gradients), self._variables)
            return None
        kernel, gradient = self._variables[self._watched], gradients[self._watched]
        before = snapshot(kernel)
        self.optimizer.apply(list(gradients), self._variables)
        change = ops.convert_to_tensor(kernel) - before
        return ops.stack([_norm(gradient), _norm(change) / (_norm(before) + _TINY)])


def _norm(tensor: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(tensor)))
