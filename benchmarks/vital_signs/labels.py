"""What each run came to, seen from its end: the label is what 400 further steps showed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

from vital_signs.runs import N_STEPS

Label = Literal["dead", "late", "diverged", "stuck", "learning"]
N_CLASSES = 47
LAST = 100
"""The steps that a label is read off."""
_LOST = 1e-3
_RESOLUTION = 1e-6
SHORT = 20
_MOST_OF_SHORT = 0.8
_MOST_OF_LONG = 0.6
_LEARNED = 3.0

Columns = Mapping[str, Sequence[float]]
"""The signs of every step, by name."""


def label(columns: Columns) -> tuple[Label, int | None]:
    """The label of a whole run, and the step at which it died, if it is dead.

    `diverged`: the loss left the finite numbers. `learning`: over the last hundred steps more than
    three times as many answers were right as by guessing. `dead`: it had not, and is silent from the
    step of its death on, with a hundred steps or more to show it: the first layer's gradient is below
    a thousandth of the first step's (or of 1, where that was more), or all answers are equal to the
    accuracy of float32, in four fifths of the twenty steps that begin with it, and in three fifths of
    any hundred after it (single images wake many a dead network for a step). `late`: the same, with
    fewer than a hundred steps to show it, so that nothing is counted of it. `stuck`: none of these.
    """
    if not math.isfinite(columns["loss"][-1]):
        return "diverged", None
    if statistics.fmean(columns["accuracy"][-LAST:]) > _LEARNED / N_CLASSES:
        return "learning", None
    died_at = _died_at(columns)
    if died_at is None:
        return "stuck", None
    return ("dead", died_at) if died_at <= N_STEPS - LAST else ("late", None)


def _died_at(columns: Columns) -> int | None:
    silent = [_is_silent(columns, place) for place in range(len(columns["loss"]))]
    found = None
    for start in reversed(range(len(silent) - SHORT + 1)):
        long, short = silent[start : start + LAST], silent[start : start + SHORT]
        if len(long) == LAST and sum(long) < _MOST_OF_LONG * LAST:
            break
        if silent[start] and sum(short) >= _MOST_OF_SHORT * SHORT:
            found = start + 1
    return found


def _is_silent(columns: Columns, place: int) -> bool:
    gradient, spread, level = (columns[name][place] for name in ("gradient_first", "spread", "level"))
    # With large logits the first gradient is hundreds, and falls with them in a living network.
    return gradient <= _LOST * min(columns["gradient_first"][0], 1.0) or spread <= _RESOLUTION * max(1.0, level)
