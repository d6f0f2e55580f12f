"""A trial's signs of life as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from search.training.vitals.thinning import thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

_N_ROWS = 12
_COLUMNS = {
    "step": "step",
    "loss": "loss",
    "spread": "spread between images",
    "gradient_first": "gradient, first layer",
    "gradient_last": "gradient, last layer",
    "update_ratio": "change a step",
    "dead_units": "dead units",
}
"""Each sign, and what its column is called."""


def vitals_table(vitals: Sequence[dict[str, float]]) -> Table:
    """A dozen rows at most, closer together at the beginning of the training."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in _COLUMNS.values():
        table.add_column(title, justify="right")
    for entry in thinned(vitals, _N_ROWS):
        table.add_row(*(_cell(name, entry.get(name)) for name in _COLUMNS))
    return table


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name == "step":
        return str(int(value))
    return f"{value:.0%}" if name == "dead_units" else f"{value:.3g}"
