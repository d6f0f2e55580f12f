"""Validation accuracy over epochs, with Keras' averages and with honest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from scores.rows import Row

SHOWN = ("DenseNet121", "MobileNet")
_COLOURS = {128: "tab:blue", 1024: "tab:orange"}


def draw(rows: Sequence[Row], file: Path) -> None:
    """Write the figure; the file's ending says in which format."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(SHOWN), figsize=(9, 4), layout="constrained", sharey=True)
    for ax, network in zip(axes, SHOWN, strict=True):
        for batch_size, colour in _COLOURS.items():
            _curves(ax, [row for row in rows if (row.network, row.batch_size) == (network, batch_size)], colour)
        ax.set_title(network)
        ax.set_xlabel("epoch")
        ax.set_ylim(0, 1)
    axes[0].set_ylabel("validation accuracy")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize="small", loc="outside lower center", ncols=3)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _curves(ax: Axes, rows: Sequence[Row], colour: str) -> None:
    epochs = [row.epoch for row in rows]
    if not epochs:
        return
    batch = f"batch {rows[0].batch_size}"
    ax.plot(epochs, [row.reported for row in rows], "o-", color=colour, label=f"honest averages, {batch}")
    ax.plot(epochs, [row.keras for row in rows], "s--", color=colour, label=f"Keras' averages, {batch}")
    ax.plot(epochs, [row.train for row in rows], ":", color=colour, label=f"training, {batch}")
    ax.set_xticks(epochs)
