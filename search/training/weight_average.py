"""The weights that count: a mean of those that the last steps have gone through.

With a constant learning rate the weights of the last step jitter about something better than any of them. Means of
them find it (Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992), but a mean of all
remembers the beginning for ever, and one with a fixed momentum fits one length of training. Here the part that is
remembered grows with the training: polynomial-decay averaging (Shamir and Zhang, "Stochastic gradient descent for
non-smooth optimization", 2013, section 4).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import keras
    from numpy.typing import NDArray

DECAY = 8.0
"""The paper's eta: the mean is as old as a plain one of the last fifth of the training, a tenth of it."""
_SPACING = 512
"""Images between two weights that are taken into the mean: taking them costs more than a step of a few images."""


class WeightAverage:
    """The mean of a model's weights over the steps of late; of no weights, where none are to be averaged."""

    def __init__(
        self,
        variables: Sequence[keras.Variable],
        batch_size: int,
        epoch_steps: int,
        *,
        read: Callable[[keras.Variable], NDArray[Any]],
        assign: Callable[[Sequence[keras.Variable], Sequence[Any]], None],
    ) -> None:
        """Average `variables`, over steps of `batch_size` images; at least once in the `epoch_steps` of an epoch.

        `read` gives a variable's value of now, which may change with the next step; `assign` replaces values.
        """
        self._variables = variables
        self._read = read
        self._assign = assign
        self._interval = max(1, min(round(_SPACING / batch_size), epoch_steps))
        self.means: list[Any] = [np.zeros(variable.shape, variable.dtype) for variable in variables]
        """An array for each variable; part of a trial's checkpoint."""

    def add(self, step: int) -> None:
        """Take the weights in, if it is time to; `step` counts the trial's training steps from 1."""
        if step > self._interval and step % self._interval:
            return
        n = max(1, step // self._interval)
        share = (DECAY + 1) / (n + DECAY)  # the first one is the mean, whatever stood there before
        for mean, variable in zip(self.means, self._variables, strict=True):
            change = self._read(variable) - mean
            change *= share
            mean += change  # noqa: PLW2901  in place

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the means as the model's weights, as long as the context lasts."""
        weights = [self._read(variable).copy() for variable in self._variables]
        self._assign(self._variables, self.means)
        try:
            yield
        finally:
            self._assign(self._variables, weights)

    def values(self, variables: Sequence[keras.Variable]) -> list[NDArray[Any]]:
        """Of any variables, in their order: the means of those that are averaged, else what they have now.

        Not copies: the next step changes them.
        """
        means = {id(variable): mean for variable, mean in zip(self._variables, self.means, strict=True)}
        return [means[id(one)] if id(one) in means else self._read(one) for one in variables]
