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
WINDOW = 20
_MOST = 0.8
_LEARNED = 3.0

Columns = Mapping[str, Sequence[float]]
"""The signs of every step, by name."""


def label(columns: Columns) -> tuple[Label, int | None]:
    """The label of a whole run, and the step at which it died, if it is dead.

    `diverged`: the loss left the finite numbers. `learning`: over the last hundred steps more than
    three times as many answers were right as by guessing. `dead`: it had not, and from the step of
    its death to the end, a hundred steps or more, it is silent: of any twenty steps in a row in four
    fifths, the first layer's gradient is below a thousandth of the first step's, or all answers are
    equal to the accuracy of float32. `late`: the same, but with fewer than a hundred steps left to show
    it, so that nothing is counted of it. `stuck`: none of these.
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
    """The first step from which on each window of twenty steps is silent in four fifths of them."""
    silent = [_is_silent(columns, place) for place in range(len(columns["loss"]))]
    found, start = None, len(silent) - WINDOW
    while start >= 0 and sum(silent[start : start + WINDOW]) >= _MOST * WINDOW:
        found, start = start if silent[start] else found, start - 1
    return None if found is None else found + 1


def _is_silent(columns: Columns, place: int) -> bool:
    gradient, spread, level = (columns[name][place] for name in ("gradient_first", "spread", "level"))
    return gradient <= _LOST * columns["gradient_first"][0] or spread <= _RESOLUTION * max(1.0, level)
