"""What the epochs' metrics show, that single steps do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from search.training.vitals.diagnosis import Diagnosis

_FEWEST = 4
"""Epochs before a plateau, and epochs that it lasts at least."""
_AHEAD = 3
"""Epochs that validation has to get worse, while training gets better, before it is called overfitting."""
_SMALLEST_GAIN = 0.01
"""Share by which a loss must fall to count as better: below it is what epochs differ by anyway."""
_AT_CHANCE = 2.0
"""A validation accuracy below this many times that of guessing is no better than guessing."""
_LEARNED = 5.0
"""A training accuracy above this many times that of guessing is far better than guessing."""


def examine_curve(curve: Sequence[Mapping[str, float]], chance: float) -> Diagnosis | None:
    """What the curve shows: `averages_lagging`, `overfitting`, `plateau`, or None for nothing of note.

    Args:
        curve: one mapping an epoch, with `loss`, `accuracy`, `val_loss` and `val_accuracy`.
        chance: the accuracy of guessing.
    """
    if not curve:
        return None
    return _averages_lagging(curve, chance) or _overfitting(curve) or _plateau(curve)


def _averages_lagging(curve: Sequence[Mapping[str, float]], chance: float) -> Diagnosis | None:
    """At chance where it validates, far above where it trains: no overfitting does that in an epoch."""
    first = len(curve)
    while first and _lags(curve[first - 1], chance):
        first -= 1
    if first == len(curve):
        return None
    last = curve[-1]
    evidence = {"accuracy": last["accuracy"], "val_accuracy": last["val_accuracy"], "chance": chance}
    return Diagnosis(condition="averages_lagging", since_step=first + 1, evidence=evidence)


def _lags(epoch: Mapping[str, float], chance: float) -> bool:
    # With few classes 5 times chance is more than everything; half way to it will do.
    learned = min(_LEARNED * chance, (1 + chance) / 2)
    at_chance = min(_AT_CHANCE * chance, (1 + 3 * chance) / 4)
    return epoch["accuracy"] > learned and epoch["val_accuracy"] < at_chance


def _overfitting(curve: Sequence[Mapping[str, float]]) -> Diagnosis | None:
    losses = [epoch["val_loss"] for epoch in curve]
    best = losses.index(min(losses))
    if len(curve) - 1 - best < _AHEAD or losses[-1] < losses[best] * (1 + _SMALLEST_GAIN):
        return None
    if curve[-1]["loss"] > curve[best]["loss"] * (1 - _SMALLEST_GAIN):
        return None
    evidence = {
        "val_loss_best": losses[best],
        "val_loss": losses[-1],
        "loss_then": curve[best]["loss"],
        "loss": curve[-1]["loss"],
    }
    return Diagnosis(condition="overfitting", since_step=best + 2, evidence=evidence)


def _plateau(curve: Sequence[Mapping[str, float]]) -> Diagnosis | None:
    """Neither training nor validation has got better for some epochs, and for a quarter of all."""
    since = max(_last_gain(curve, "loss"), _last_gain(curve, "val_loss"))
    lasted = len(curve) - 1 - since
    if since == 0 or lasted < max(_FEWEST, math.ceil(len(curve) / 4)):
        return None
    evidence = {"loss": curve[since]["loss"], "val_loss": curve[since]["val_loss"], "epochs": float(lasted)}
    return Diagnosis(condition="plateau", since_step=since + 2, evidence=evidence)


def _last_gain(curve: Sequence[Mapping[str, float]], name: str) -> int:
    """Index of the last epoch whose value was better than all before by more than noise."""
    at, best = 0, curve[0][name]
    for index, epoch in enumerate(curve):
        if epoch[name] < best - abs(best) * _SMALLEST_GAIN:
            at, best = index, epoch[name]
    return at
