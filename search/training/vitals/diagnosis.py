"""What the signs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Condition = Literal[
    "starting",
    "collapsed",
    "diverged",
    "never_started",
    "slow_starter",
    "shaken",
    "recovering",
    "learning",
    "averages_lagging",
    "overfitting",
    "plateau",
    "learning_rate_high",
    "learning_rate_low",
]
"""How a training is:

- `starting`: too early to say.
- `collapsed`: the network gives every image the same answer, and nothing is left that could change it.
- `diverged`: loss or weights have left the finite numbers.
- `never_started`: the signal fades between the layers; it does not die, and it does not move either.
- `slow_starter`: at chance still, and not dead: early on that is all there is to say, and later the answers have begun
  to differ from image to image.
- `shaken`: the answers have fallen together, and something still moves: it may come back, or collapse.
- `recovering`: it was shaken, and the answers differ again.
- `learning`: better than guessing, and going on.
- `averages_lagging`: it learns, and validation does not show it, for BatchNorm's averages are behind.
- `overfitting`: it gets better on what it is trained with, and worse on what it is not.
- `plateau`: it has learned, and no longer gets better.
- `learning_rate_high`, `learning_rate_low`: each step changes the weights by far more, or far less, than is usual.
"""

HOPELESS: tuple[Condition, ...] = ("collapsed", "diverged")
"""The conditions that end a trial; each of the others may still become a good one."""

BEGINNING: tuple[Condition, ...] = ("starting", "slow_starter", "shaken", "recovering")
"""The conditions of a network that is at chance and may leave it by itself.

As long as it scores no better than guessing, that says nothing of it yet.
"""

GUESSING: tuple[Condition, ...] = (*BEGINNING, "never_started")
"""The conditions that call a network one that only guesses, which a good score proves wrong."""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One answer to: how is this training, and since when?"""

    condition: Condition
    since_step: int
    """The first step that it is true of, from 1 over the whole trial. For what is seen in the curve
    of the epochs, the first epoch.
    """
    evidence: Mapping[str, float] = field(default_factory=dict)
    """The numbers that show it, by name; see `search.training.vitals.stories` for their use."""

    @property
    def is_hopeless(self) -> bool:
        """Whether no further step is worth its time."""
        return self.condition in HOPELESS
