"""Best validation accuracy so far against time: a line for the mean over the seeds, a band for their range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from racing import standing
from racing.legs import CONTESTANTS
from racing.table import AIMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from racing.legs import Result

_FIRST = 20.0  # seconds; nobody has imported Keras and trained before
_TICKS = (20, 30, 60, 120, 300, 600, 1200)
_LOOKS = {
    "hpsearch": ("tab:red", "-"),
    "optuna": ("tab:blue", "-"),
    "optuna-honest": ("tab:blue", "--"),
    "keras-tuner": ("tab:green", "-"),
    "keras-tuner-honest": ("tab:green", "--"),
}


def draw(results: Sequence[Result], file: Path) -> None:
    """Write the figure; the file's ending says in which format. `results` are of legs of one length."""
    import matplotlib.pyplot as plt

    end = 60 * results[0].leg.minutes
    figure, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for name in CONTESTANTS:
        if found := [result for result in results if result.leg.contestant == name]:
            _contestant(ax, name, found, end)
    for aim in AIMS:
        ax.axhline(aim, color="0.8", linewidth=0.8, zorder=0)
    # The first minutes are what a user waits through: with a plain axis they are a sliver.
    ax.set_xscale("log")
    ticks = [tick for tick in _TICKS if tick < end] + [round(end)]
    ax.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(xlim=(_FIRST, end), ylim=(0, 1), xlabel="seconds since the command was given", ylabel="accuracy")
    ax.set_title("best validation accuracy so far, mean and range over the seeds")
    ax.legend(loc="upper left", fontsize="small")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _contestant(ax: Axes, name: str, results: Sequence[Result], end: float) -> None:
    changes = {score.seconds for result in results for score in standing.whole(result.scores)}
    places = [_FIRST, *sorted(one for one in changes if _FIRST < one < end), end]
    found = [over for place in places if (over := standing.over_seeds(results, place))]
    colour, line = _LOOKS[name]
    label = f"{name} ({len(results)} seed{'s' if len(results) > 1 else ''})"
    mean = [one.mean for one in found]
    ax.plot(places, mean, color=colour, linestyle=line, linewidth=1.5, drawstyle="steps-post", label=label)
    low, high = [one.low for one in found], [one.high for one in found]
    ax.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0, step="post")
