"""Pictures of trials, where a curve has less than all metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.figures import learning_curve

if TYPE_CHECKING:
    from pathlib import Path


def test_curve_without_losses_is_drawn_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "curve.png"

    learning_curve([{"epoch": 1, "val_accuracy": 0.4}, {"epoch": 2, "val_accuracy": 0.5}], "a title", file)

    assert file.read_bytes().startswith(b"\x89PNG")
