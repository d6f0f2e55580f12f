"""From one step's signs to the next: what a training looks like, and when it is dead.

A network is dead when it gives all images the same answer *and* nothing is left that could change
that. The loss does not show it: for thirty steps a dead network and a slow starter have the same.
No single threshold on the spread shows it either: a spread of 1e-5 grows to 1 in one network, in a
dead one dropout alone makes 1e-2, and a network with BatchNorm comes back from 1e-7. What tells
them apart is whether a gradient still arrives at the first layer, next to what arrived there at
first, and for how long none has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from search.training.vitals.diagnosis import Condition, Diagnosis
from search.training.vitals.memory import Memory
from search.training.vitals.signs import Signs

_USUAL = 1.0
"""A first gradient above this is no measure: with large logits at the start it is hundreds, and falls with them."""
_HEARD = 2e-3
_FAINT = 1e-3
_GONE = 1e-6
"""Shares of the first gradient of the first layer. Above the first a look breaks the silence; below the second it is
silent, but half where layers normalise, which scales up again what is left of a signal; below the third there is
nothing left to scale. Between the first two a look only casts doubt: the gradient of a network that dies slowly, in
small batches, goes to and fro there.
"""
_ENOUGH = 8.0
"""Silence, in looks, from which on a network is dead."""
_ENOUGH_IMAGES = 120
"""The same in images, for small batches: one image in a hundred may wake a network that comes back."""
_OUTLASTED = 2.0
"""In small batches silence must also last so many times as long as any that a network has come back from."""
_HALF = 0.5
"""What a silent look counts where something may yet come: with normalisation while the gradient is not gone, and
where the answers differ more than at first, so that something may be learned above.
"""
_BROKEN = 3.0
"""What a look that breaks the silence takes away: one image in a thousand still wakes many a dead network."""
_DOUBTED = 1.0
"""The same of one that is hardly more than silent."""
_TINY = 1e-30
_EVERY_STEP = 100
_LATER = 10
"""See `next_step`."""
AT_CHANCE = 0.9
"""A loss above this share of that of guessing is no better."""
_FAR_ABOVE_CHANCE = 1.1
_ARRIVES = 1e-3
"""A first gradient above this has not faded on its way."""
_FALLEN = 0.1
"""A spread below this share of the largest, or of the first, has fallen."""
_RISEN = 1.5
_GROWN = 3.0
"""Growth of the spread, next to the first one and to the lowest, that is no accident of a batch."""
_DIFFERENT = 0.1
"""A spread above this, in nats, is a network that tells images apart, if not yet the right way."""
_EARLY = 10
"""Looks before anything is said that is not certain."""
_LATE = 300
"""Steps after which a network that is still at chance has not just begun: a LeNet-5 began in its 124th, and learned."""
_SAME = 1e-6
"""A spread below this is that of equal answers, and whoever gives those has learned nothing, whatever the loss says."""
LARGE_UPDATE = 3e-2
"""An update ratio above this is far more than is usual."""
_SMALL_UPDATE = 1e-4
NO_UPDATE = 1e-7
"""Of a kernel's size, what float32 cannot add to it: no step changes anything."""


class Examination:
    """Looks at the signs of one training, in the order of its steps; steps may be left out."""

    def __init__(self, chance: float, *, is_normalised: bool, batch_size: int, memory: Memory | None = None) -> None:
        """Examine a classifier from its first step on, or from where `memory` ends.

        Args:
            chance: the loss of guessing, in nats.
            is_normalised: whether layers of it normalise, as BatchNorm does.
            batch_size: images in a step.
            memory: what an earlier examination of the same training remembers.
        """
        self._chance = chance
        self._is_normalised = is_normalised
        self._enough = max(_ENOUGH, _ENOUGH_IMAGES / batch_size)
        """Silence, in looks."""
        self._memory = memory or Memory()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], chance: float, *, is_normalised: bool, batch_size: int) -> Self:
        """Go on with what `to_dict` gave; an empty mapping begins anew."""
        return cls(chance, is_normalised=is_normalised, batch_size=batch_size, memory=Memory(**values))

    def to_dict(self) -> dict[str, Any]:
        """All that it remembers, as JSON can hold it."""
        return asdict(self._memory)

    @property
    def condition(self) -> Condition | None:
        """How the training was at the last look; None before the first."""
        return self._memory.condition if self._memory.n_looks else None

    @property
    def next_step(self) -> int:
        """The step that it needs to see next; those before it may be left out.

        Each of the first hundred, as most networks that die do so in them, then every tenth; in silence each.
        """
        step = self._memory.step
        if step < _EVERY_STEP or self._memory.silence > 0:
            return step + 1
        return (step // _LATER + 1) * _LATER

    def look(self, signs: Signs) -> Diagnosis:
        """Take in the signs of a step, and say how the training is."""
        numbers = (signs.loss, signs.spread, signs.gradient_first, signs.gradient_last, signs.update_ratio)
        if not all(map(math.isfinite, numbers)):
            return self._diagnosis("diverged", signs)
        self._memory.add(signs)
        self._listen(signs)
        return self._diagnosis(self._condition(), signs)

    def _listen(self, signs: Signs) -> None:
        """Add to the silence, or end it."""
        memory = self._memory
        if not self._is_at_chance:
            # Who has learned all there is to learn is silent, too.
            memory.silence, memory.silent_since, memory.quiet = 0.0, 0, 0.0
            return
        share = signs.gradient_first / max(min(memory.gradient_first, _USUAL), _TINY)
        if share <= _FAINT:
            weight = self._weight(share)
            memory.silence += weight
            memory.quiet += weight
            memory.silent_since = memory.silent_since or signs.step
            return
        is_broken = share > _HEARD
        if is_broken:
            memory.outlived, memory.quiet = max(memory.outlived, memory.quiet), 0.0
        memory.silence = max(0.0, memory.silence - (_BROKEN if is_broken else _DOUBTED))
        memory.silent_since = memory.silent_since if memory.silence else 0

    def _weight(self, share: float) -> float:
        """What a silent look counts, of 0 to 1."""
        weight = 1.0
        if self._memory.spread > _RISEN * self._memory.spread_first:
            weight *= _HALF
        if self._is_normalised and share > _GONE:
            weight *= _HALF
        return weight

    @property
    def _is_at_chance(self) -> bool:
        return self._memory.loss >= AT_CHANCE * self._chance or self._memory.spread < _SAME

    def _condition(self) -> Condition:
        memory = self._memory
        if not self._is_at_chance:
            return self._condition_above_chance()
        if memory.silence >= self._enough and self._has_outlasted:
            return "collapsed"
        if memory.update_ratio < NO_UPDATE and memory.gradient_first > _ARRIVES:
            return "learning_rate_low"  # and not for want of a gradient
        if memory.n_looks < _EARLY:
            return "starting"
        return self._condition_at_chance()

    def _condition_above_chance(self) -> Condition:
        is_slow = self._is_late and self._memory.update_ratio < _SMALL_UPDATE
        return "learning_rate_low" if is_slow and self._memory.loss > 0.5 * self._chance else "learning"

    def _condition_at_chance(self) -> Condition:
        memory = self._memory
        is_large = memory.update_ratio > LARGE_UPDATE or self._is_driven_off
        fallen = self._fallen()
        # Large steps shake a network that comes back nonetheless; in the end they are what keeps it where it is.
        if fallen is not None and not (is_large and self._is_late):
            return fallen
        if is_large:
            return "learning_rate_high"
        if self._is_late and memory.update_ratio < _SMALL_UPDATE:
            return "learning_rate_low"
        if not self._is_late or has_spread(memory.spread, memory.spread_first):
            return "slow_starter"
        return "never_started"

    def _fallen(self) -> Condition | None:
        """Whether the answers have fallen together, and how it is now."""
        memory = self._memory
        has_grown = memory.spread > _GROWN * memory.spread_lowest
        if memory.spread < min(_FALLEN * memory.spread_largest, memory.spread_first):
            memory.has_fallen = True
            return "recovering" if has_grown else "shaken"
        return "recovering" if memory.has_fallen and has_grown else None

    @property
    def _is_late(self) -> bool:
        return self._memory.step >= _LATE

    @property
    def _has_outlasted(self) -> bool:
        """Whether the silence is longer than those before, where single images may have broken them."""
        return self._enough <= _ENOUGH or self._memory.silence >= _OUTLASTED * self._memory.outlived

    @property
    def _is_driven_off(self) -> bool:
        """Whether the loss is far above guessing's, and does not come from there either."""
        memory = self._memory
        return memory.loss > max(_FAR_ABOVE_CHANCE * self._chance, memory.loss_first)

    def _diagnosis(self, condition: Condition, signs: Signs) -> Diagnosis:
        memory = self._memory
        if condition != memory.condition:
            memory.condition, memory.since_step = condition, signs.step
        since = memory.silent_since if condition == "collapsed" else memory.since_step
        evidence = {
            "chance": self._chance,
            "loss_then": memory.loss_first,
            "loss": memory.loss,
            "spread_then": memory.spread_first,
            "spread_largest": memory.spread_largest,
            "spread_lowest": memory.spread_lowest,
            "spread": memory.spread,
            "gradient_first_then": memory.gradient_first,
            "gradient_first": signs.gradient_first if math.isfinite(signs.gradient_first) else 0.0,
            "update_ratio": memory.update_ratio,
            "steps": float(signs.step),
        }
        return Diagnosis(condition=condition, since_step=since, evidence=evidence)


def has_spread(spread: float, first: float) -> bool:
    """Whether answers have begun to differ between images, or have done so from the start."""
    return spread > min(_RISEN * first, _DIFFERENT)
