"""Recorded runs: each one's signs and label."""

from __future__ import annotations

import json
import lzma
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vital_signs.labels import Label, label
from vital_signs.runs import Run

KEPT = Path(__file__).parent / "runs.json.xz"
"""The recordings that the project keeps."""
WINDOW = 10
"""Steps that a mean is taken over."""


@dataclass(frozen=True)
class Recording:
    """One run."""

    run: Run
    label: Label
    died_at: int | None
    """The step of its death; None unless it is dead."""
    steps: tuple[int, ...]
    """Those that are kept: in a run's own file all of them, in `KEPT` those that are looked at."""
    columns: Mapping[str, Sequence[float]]
    """The signs of these steps, by name; `mean_loss` and `mean_accuracy` are those of the last ten steps."""

    def only(self, steps: set[int]) -> Recording:
        """With these steps alone."""
        places = [place for place, step in enumerate(self.steps) if step in steps]
        columns = {name: tuple(column[place] for place in places) for name, column in self.columns.items()}
        return replace(self, steps=tuple(self.steps[place] for place in places), columns=columns)


def load(path: Path = KEPT) -> tuple[Recording, ...]:
    """All recordings: of a folder with a file each, or of the one file that is kept."""
    if path.is_dir():
        return tuple(_whole(json.loads(file.read_text())) for file in sorted(path.glob("*.json")))
    found = json.loads(lzma.decompress(path.read_bytes()))
    return tuple(Recording(**{**data, "run": Run.from_dict(data["run"])}) for data in found)


def save(recordings: Sequence[Recording]) -> None:
    """Write `KEPT`."""
    data = [{**asdict(one), "run": one.run.to_dict()} for one in recordings]
    KEPT.write_bytes(lzma.compress(json.dumps(data, separators=(",", ":")).encode(), preset=9 | lzma.PRESET_EXTREME))


def _whole(data: dict[str, Any]) -> Recording:
    columns = {name: [row[at] for row in data["steps"]] for at, name in enumerate(data["signs"])}
    del columns["update_last"]
    what, died_at = label(columns)
    for name in ("loss", "accuracy"):
        columns[f"mean_{name}"] = _means(columns[name])
    return Recording(Run.from_dict(data["run"]), what, died_at, tuple(range(1, len(data["steps"]) + 1)), columns)


def _means(values: Sequence[float]) -> list[float]:
    parts = [values[max(0, end - WINDOW) : end] for end in range(1, len(values) + 1)]
    return [float(f"{statistics.fmean(part):.4g}") for part in parts]
