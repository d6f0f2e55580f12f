"""The race in Markdown tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from racing import standing
from racing.legs import CONTESTANTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from racing.legs import Result
    from racing.standing import Range

MARKS = (75, 190, 300, 600, 720, 1200)
"""Seconds at which the contestants are compared."""
AIMS = (0.80, 0.85)
OURS = "hpsearch"


def tables(results: Sequence[Result]) -> str:
    """All of them; `results` are of legs of one length."""
    by_name = {name: [r for r in results if r.leg.contestant == name] for name in CONTESTANTS}
    there = {name: found for name, found in by_name.items() if found}
    if not there:
        return "no leg of this length has been run\n"
    seconds = 60 * results[0].leg.minutes
    return "\n\n".join([_best_so_far(there, seconds), _ends(there), _passed(there, seconds)]) + "\n"


def _best_so_far(there: dict[str, list[Result]], seconds: float) -> str:
    """Best validation accuracy so far."""
    marks = [mark for mark in MARKS if mark < seconds] + [round(seconds)]
    rows = []
    for name, found in there.items():
        rows.append([name, *(_accuracy(standing.over_seeds(found, mark)) for mark in marks)])
        if name == OURS:
            title = f"{name}, scores on a part of the validation images too"
            rows.append([title, *(_accuracy(standing.over_seeds(found, mark, partial=True)) for mark in marks)])
    return _table(["best validation accuracy after", *(f"{mark} s" for mark in marks)], rows)


def _ends(there: dict[str, list[Result]]) -> str:
    """What each winner is worth, and when the aims were reached."""
    rows = []
    for name, found in there.items():
        tests = [result.winner.test_accuracy for result in found if result.winner]
        aims = [_seconds(standing.reached_by(found, aim)) for aim in AIMS]
        trials = [len({score.trial for score in result.scores}) for result in found]
        test = _accuracy(standing.Range.of(tests))
        rows.append([name, str(len(found)), test, *aims, _numbers(trials)])
    titles = [f"{aim:.2f} reached after, s" for aim in AIMS]
    return _table(["", "seeds", "test accuracy of the winner", *titles, "trials with a score"], rows)


def _passed(there: dict[str, list[Result]], seconds: float) -> str:
    """When hpsearch had passed what each peer had in the end."""
    rows = []
    for name, found in there.items():
        times = standing.passes(there.get(OURS, []), found) if name != OURS else []
        if times:
            final = _accuracy(standing.over_seeds(found, float("inf")))
            rows.append([name, final, _seconds(times), _parts(times, seconds)])
    return _table(["", "final best", "hpsearch passed it after, s", "part of the race"], rows) if rows else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _accuracy(found: Range | None) -> str:
    if found is None or found.high == 0.0:
        return "–"
    around = f" ({found.low:.3f}–{found.high:.3f})" if found.n > 1 else ""
    return f"{found.mean:.3f}{around}"


def _seconds(times: Sequence[float | None]) -> str:
    return _with_never(times, standing.Range.of(time for time in times if time is not None), ".0f")


def _parts(times: Sequence[float | None], seconds: float) -> str:
    return _with_never(times, standing.Range.of(time / seconds for time in times if time is not None), ".2f")


def _with_never(times: Sequence[float | None], found: Range | None, form: str) -> str:
    """Mean and range of the seeds that came there, and how many did not."""
    if found is None:
        return "never"
    around = f" ({found.low:{form}}–{found.high:{form}})" if found.n > 1 else ""
    never = f", never in {len(times) - found.n} of {len(times)}" if found.n < len(times) else ""
    return f"{found.mean:{form}}{around}{never}"


def _numbers(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"
