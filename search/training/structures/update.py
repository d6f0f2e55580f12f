"""An optimizer's step over one part of a network, as a graph function."""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from search.training.structures.optimizers import make_optimizer
from search.training.tensorflow_runtime import assign, snapshot, traced, unoptimized

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
        """Nothing is made yet, see `prepare`; what `settings` holds may change later without tracing again.

        Args:
            variables: what it changes.
            watched: which of them is looked at, None for no one.
            hp: the kind of optimizer.
            settings: its numbers.
        """
        self._variables = variables
        self._watched = watched
        self._make = partial(make_optimizer, variables, hp, settings)
        self._optimizer: keras.optimizers.Optimizer | None = None
        self._run: Callable[..., Any] | None = None
        self._lock = Lock()

    def prepare(self) -> keras.optimizers.Optimizer:
        """Make the optimizer and trace its step, unless that was done before; its own state is zero then.

        Any thread may come; if another one is at it, this one waits.
        """
        with self._lock:
            if self._optimizer is None:
                optimizer = self._make()
                if self._variables:  # an architecture of one's own may have none
                    shapes = [(tuple(variable.shape), variable.dtype) for variable in self._variables]
                    self._run = unoptimized(traced(partial(self._apply, optimizer), shapes))
                self._optimizer = optimizer
            return self._optimizer

    def restart(self) -> None:
        """Put the optimizer's own state to zero, as before the first step."""
        if self._optimizer is not None:
            assign(self.state, (np.zeros(variable.shape, variable.dtype) for variable in self.state))

    @property
    def state(self) -> list[keras.Variable]:
        """Step count and moments."""
        variables: list[keras.Variable] = self.prepare().variables
        return variables

    def __call__(self, gradients: list[Any]) -> Any:
        """Take one step.

        Returns:
            Of the kernel that is watched (2,): L2 norm of its gradient, and ‖Δw‖ / ‖w‖ of this step;
            None where none is.
        """
        self.prepare()
        return None if self._run is None else self._run(gradients)

    def _apply(self, optimizer: keras.optimizers.Optimizer, gradients: list[Any]) -> Any:
        if self._watched is None:
            optimizer.apply(list(gradients), self._variables)
            return None
        kernel, gradient = self._variables[self._watched], gradients[self._watched]
        before = snapshot(kernel)
        optimizer.apply(list(gradients), self._variables)
        change = ops.convert_to_tensor(kernel) - before
        return ops.stack([_norm(gradient), _norm(change) / (_norm(before) + _TINY)])


def _norm(tensor: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(tensor)))
