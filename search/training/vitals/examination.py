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

_RESOLUTION = 2.0**-21
"""A spread below this is rounding: four units of float32 at the size of the logits."""
_FAINT = 1e-3
"""A gradient of the first layer below this share of the first step's is as good as lost."""
_DEEPEST = 2.0
"""What one silent look counts at most; one at a thousandth of the first gradient counts 1, at a millionth 2."""
_ENOUGH = 12.0
"""Silence, in looks, from which on a network without BatchNorm is dead."""
_ENOUGH_NORMALISED = 36.0
"""The same with BatchNorm, which scales a faint signal up again, so that some come back."""
_AT_CHANCE = 0.9
"""A loss above this share of ln(classes) is that of guessing."""
_FAR_ABOVE_CHANCE = 1.1
_FALLEN = 0.1
"""A spread below this share of the largest, or of the first, has fallen."""
_RISEN = 1.5
_GROWN = 3.0
"""Growth of a spread next to the first one, and next to the lowest, that is no accident of a batch."""
_EARLY = 10
"""Looks before anything is said that is not certain."""
_LATE = 60
"""Looks after which a network that is still at chance has not just begun."""
_LARGE_UPDATE = 3e-2
_SMALL_UPDATE = 1e-4


class Examination:
    """Looks at the signs of one training, in the order of its steps; steps may be left out."""

    def __init__(self, n_classes: int, *, has_batch_norm: bool, memory: Memory | None = None) -> None:
        """Examine a classifier of `n_classes`; `memory` is None for a new training."""
        self._chance = math.log(n_classes)
        self._enough = _ENOUGH_NORMALISED if has_batch_norm else _ENOUGH
        self._memory = memory or Memory()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, n_classes: int, has_batch_norm: bool) -> Self:
        """Go on with what `to_dict` gave; an empty mapping begins anew."""
        return cls(n_classes, has_batch_norm=has_batch_norm, memory=Memory(**values))

    def to_dict(self) -> dict[str, Any]:
        """All that it remembers, as JSON can hold it."""
        return asdict(self._memory)

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
        depth = self._depth(signs)
        if depth == 0:
            memory.silence, memory.silent_since = 0.0, 0
            return
        memory.silence += depth
        memory.silent_since = memory.silent_since or signs.step

    def _depth(self, signs: Signs) -> float:
        """How silent the network is: 0 for not, 1 for a gradient of a thousandth, 2 for nothing at all."""
        # Logits as large as the loss are what a large loss comes from.
        rounding = _RESOLUTION * max(1.0, signs.loss)
        if signs.gradient_first == 0:
            return _DEEPEST
        share = signs.gradient_first / max(self._memory.gradient_first, 1e-30)
        if share > _FAINT:
            return 1.0 if signs.spread <= rounding else 0.0
        return min(math.log10(share) / math.log10(_FAINT), _DEEPEST)

    def _condition(self) -> Condition:
        memory = self._memory
        if memory.loss < _AT_CHANCE * self._chance:
            return self._condition_above_chance()
        if memory.silence >= self._enough:
            return "collapsed"
        if memory.n_looks < _EARLY:
            return "starting"
        return self._condition_at_chance()

    def _condition_above_chance(self) -> Condition:
        memory = self._memory
        if memory.n_looks >= _LATE and memory.update_ratio < _SMALL_UPDATE and memory.loss > 0.5 * self._chance:
            return "learning_rate_low"
        return "learning"

    def _condition_at_chance(self) -> Condition:
        memory = self._memory
        if memory.update_ratio > _LARGE_UPDATE or memory.loss > _FAR_ABOVE_CHANCE * self._chance:
            return "learning_rate_high"
        if memory.spread < _FALLEN * memory.spread_largest:
            memory.has_fallen = True
            return "recovering" if memory.spread > _GROWN * memory.spread_lowest else "shaken"
        if memory.has_fallen and memory.spread > _GROWN * memory.spread_lowest:
            return "recovering"
        if memory.spread > _RISEN * memory.spread_first or memory.n_looks < _LATE:
            return "slow_starter"
        return "learning_rate_low" if memory.update_ratio < _SMALL_UPDATE else "never_started"

    def _diagnosis(self, condition: Condition, signs: Signs) -> Diagnosis:
        memory = self._memory
        if condition != memory.condition:
            memory.condition, memory.since_step = condition, signs.step
        since = memory.silent_since if condition == "collapsed" else memory.since_step
        evidence = {
            "chance": self._chance,
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
