"""Fewer signs for the record: most of them say what their neighbours say."""

from __future__ import annotations

from collections.abc import Sequence

N_REPORTED = 40
"""Signs in one report at most."""
N_RECORDED = 160
"""Signs of one trial at most."""


def thinned(signs: Sequence[dict[str, float]], most: int = N_RECORDED) -> list[dict[str, float]]:
    """At most `most` (2 or more) of the signs, in their order; the first and the last always stay.

    Each has its `step`, ascending from 1. What goes first is the one whose neighbours are closest, as
    a ratio of their steps: the beginning of a training is told in more detail than what comes later.
    """
    kept = list(signs)
    while len(kept) > most:
        gaps = [after["step"] / before["step"] for before, after in zip(kept, kept[2:], strict=False)]
        del kept[1 + min(range(len(gaps)), key=gaps.__getitem__)]
    return kept
