"""What an examination keeps of all the steps it has looked at: a dozen numbers, however many steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search.training.vitals.diagnosis import Condition
from search.training.vitals.signs import Signs

SMOOTHING = 0.8
"""What the means keep of themselves with each look: about five looks count."""
_TINY = 1e-30


@dataclass
class Memory:
    """Plain numbers that JSON can hold."""

    step: int = 0
    """The last one that was looked at; 0 before the first."""
    n_looks: int = 0
    spread_first: float = 0.0
    """The first look's: what the network starts from."""
    gradient_first: float = 0.0
    """The first layer's, likewise."""
    loss_first: float = 0.0
    loss: float = 0.0
    spread: float = 0.0
    update_ratio: float = 0.0
    """Means over the last looks, a later one counting more; of the spread the geometric one."""
    spread_largest: float = 0.0
    """Of the mean."""
    spread_lowest: float = 0.0
    """Of the mean, since it was largest."""
    silence: float = 0.0
    """How much of it the last looks have heard; see `Examination`."""
    silent_since: int = 0
    """0 where there is none."""
    quiet: float = 0.0
    """The same, since the last look that broke it."""
    outlived: float = 0.0
    """The most of it that the network has come back from."""
    has_fallen: bool = False
    """Whether the answers have fallen together at some time."""
    condition: Condition = "starting"
    since_step: int = 1

    def add(self, signs: Signs) -> None:
        """Take in one look; its signs are finite."""
        spread = max(signs.spread, _TINY)
        if self.n_looks == 0:
            self.spread_first, self.gradient_first = spread, signs.gradient_first
            self.loss_first = signs.loss
            self.loss, self.spread, self.update_ratio = signs.loss, spread, signs.update_ratio
        self.step = signs.step
        self.n_looks += 1
        self.loss = _mean(self.loss, signs.loss)
        self.spread = math.exp(_mean(math.log(self.spread), math.log(spread)))
        self.update_ratio = _mean(self.update_ratio, signs.update_ratio)
        self.spread_lowest = min(self.spread_lowest, self.spread)
        if self.spread >= self.spread_largest:
            self.spread_largest = self.spread_lowest = self.spread


def _mean(old: float, new: float) -> float:
    return SMOOTHING * old + (1 - SMOOTHING) * new
