"""Pictures of a trial: its learning curve, and what it confuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from search.training.confusion import Confusion

_TRAIN, _VALIDATION = "#8a94a6", "#c2410c"
_MOST_CLASSES = 62  # those of EMNIST ByClass: each still has its name beside it
_N_CONFUSED = 40  # of more classes: so many that have something to show


def learning_curve(curve: Sequence[dict[str, float]], title: str, file: Path) -> None:
    """Draw accuracy and loss against epochs, training and validation, as a PNG.

    The best validation epoch of each panel is marked, and its value stands in the legend, where no
    line runs through it. Metrics that the curve lacks are left out.
    """
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    for axes, metric in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        _panel(axes, curve, metric)
    _save(figure, file)


def confusion_matrix(confusion: Confusion, classes: Sequence[str], title: str, file: Path) -> None:
    """Draw confusion counts as a PNG: rows are true classes, shares of each row are coloured.

    Of more than 62 classes the 40 most confused ones are drawn, and the title says so: picture and memory are
    bounded. A share is always that of all images of the true class.
    """
    import numpy as np

    shown = list(range(len(classes)))
    if len(classes) > _MOST_CLASSES:
        shown = confusion.most_confused(_N_CONFUSED, len(classes))
        title = f"{title}\nthe {_N_CONFUSED} most confused of {len(classes):,} classes"
    table = confusion.table(shown)
    shares = table / np.maximum(confusion.totals(len(classes))[shown, np.newaxis], 1)
    side = 3.0 + 0.16 * len(shown)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=10)
    names = [classes[label] for label in shown]
    axes.set_xticks(range(len(shown)), names, fontsize=7)
    axes.set_yticks(range(len(shown)), names, fontsize=7)
    if len(shown) <= 12:
        _write_counts(axes, table, shares)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    _save(figure, file)


def _panel(axes: Any, curve: Sequence[dict[str, float]], metric: str) -> None:
    for name, part, colour in ((metric, "training", _TRAIN), (f"val_{metric}", "validation", _VALIDATION)):
        points = [(entry["epoch"], entry[name]) for entry in curve if name in entry]
        if points:
            _line(axes, points, part, colour, sign=1 if metric == "accuracy" else -1)
    last = max((entry["epoch"] for entry in curve), default=1)
    axes.set(xlabel="epoch", ylabel=metric, xlim=(0, 1.1 * last))
    axes.margins(y=0.15)
    if len(curve) == 1:  # two points: close together or far apart only against the whole scale
        axes.set_ylim(0, 1 if metric == "accuracy" else 1.15 * axes.dataLim.y1)
    axes.xaxis.get_major_locator().set_params(integer=last >= 1)
    axes.grid(alpha=0.25)
    if axes.get_legend_handles_labels()[0]:  # a curve without this metric has nothing to explain
        axes.legend(fontsize=8)


def _line(axes: Any, points: Sequence[tuple[float, float]], part: str, colour: str, *, sign: int) -> None:
    """A part's values against epochs; the best is that with the largest `sign` times it, of equal ones the first."""
    epochs, values = zip(*points, strict=True)
    epoch, best = max(points, key=lambda point: (sign * point[1], -point[0]))
    if len(points) == 1:  # nothing to draw a line through: how high it stands is all there is
        axes.plot((0, epoch), (best, best), linestyle=":", color=colour)
        axes.plot(epoch, best, marker="o", markersize=7, linestyle="none", color=colour, label=f"{part} {best:.3f}")
        return
    label = f"{part}, best {best:.3f}" if part == "validation" else part
    axes.plot(epochs, values, marker="o", markersize=3, color=colour, label=label)
    if part == "validation":
        axes.plot(epoch, best, marker="o", markersize=8, markerfacecolor="none", color=colour)


def _write_counts(axes: Any, table: Any, shares: Any) -> None:
    import numpy as np

    for (row, column), count in np.ndenumerate(table):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", fontsize=7, color=colour)


def _save(figure: Figure, file: Path) -> None:
    FigureCanvasAgg(figure)
    figure.savefig(file, dpi=110)
