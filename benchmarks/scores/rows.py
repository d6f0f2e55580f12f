"""What one epoch of one network came to, and whether that is good enough."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TOLERANCE = 0.01
WIDE_TOLERANCE = 0.02
"""Where the standard error of the validation part is larger than the narrow one."""
MOST_COST = 0.04


@dataclass(frozen=True, kw_only=True)
class Row:
    """One epoch."""

    network: str
    batch_size: int
    epoch: float
    """From 1; at a rung a share of the first."""
    train: float
    """Training accuracy, the epoch's mean."""
    reported: float
    """Validation accuracy as the trial has reported it."""
    whole: float
    """The same weights, with averages of all training images."""
    keras: float
    """The same weights, with the moving averages that Keras would have kept."""
    n_train: int
    n_validation: int
    """Images that the accuracies were measured on."""
    cost: float
    """Seconds in which the averages were recomputed for this judgement."""
    seconds: float
    """Since the judgement before: trained, validated and written down; the first step, which compiles, left out."""

    @property
    def difference(self) -> float:
        """Of what was reported from what it should be."""
        return self.reported - self.whole

    @property
    def standard_error(self) -> float:
        """Of an accuracy on the validation part."""
        return math.sqrt(self.whole * (1 - self.whole) / self.n_validation)

    @property
    def is_honest(self) -> bool:
        """Whether the report is within the tolerance."""
        allowed = WIDE_TOLERANCE if self.standard_error > TOLERANCE else TOLERANCE
        return abs(self.difference) <= allowed

    @property
    def share(self) -> float:
        """Of the epoch's seconds that went into averages."""
        return self.cost / self.seconds


def read(file: Path) -> list[Row]:
    """The rows in a file; none where there is no file."""
    return [Row(**row) for row in json.loads(file.read_text())] if file.exists() else []


def write(rows: Sequence[Row], file: Path) -> None:
    """Keep the rows, a line each."""
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    file.write_text(f"[\n{lines}\n]\n")


_HEAD = (
    "| network | batch | epoch | training accuracy | reported | averages of all images | difference "
    "| Keras' averages | cost, share of the epoch |"
)


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        f"| {row.network} | {row.batch_size} | {row.epoch:.3g} | {row.train:.3f} | {row.reported:.3f} "
        f"| {row.whole:.3f} | {row.difference:+.3f} | {row.keras:.3f} | {100 * row.share:.1f} % |"
        for row in rows
    ]
    return "\n".join([_HEAD, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |", *lines])
