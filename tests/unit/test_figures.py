"""Pictures of trials, where a curve has less than all metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.axes import Axes

from search.figures import confusion_matrix, learning_curve
from search.training.confusion import Confusion

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The title and the table of the matrix that is drawn last."""
    found: dict[str, object] = {}
    real_title, real_image = Axes.set_title, Axes.imshow

    def set_title(axes: Axes, title: str, **options: object) -> object:
        found["title"] = title
        return real_title(axes, title, **options)

    def imshow(axes: Axes, table: np.ndarray, **options: object) -> object:
        found["table"] = table
        return real_image(axes, table, **options)

    monkeypatch.setattr(Axes, "set_title", set_title)
    monkeypatch.setattr(Axes, "imshow", imshow)
    return found


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of a PNG, in pixels."""
    header = file.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")


def draw(file: Path, n_classes: int) -> tuple[int, int]:
    """Draw 5,000 guesses; returns the size of the picture."""
    labels, predictions = np.random.default_rng(0).integers(0, n_classes, (2, 5_000))
    names = [f"class {label}" for label in range(n_classes)]
    confusion_matrix(Confusion.of(labels, predictions), names, "trial 0", file)
    return size_of(file)


@pytest.mark.parametrize("n_classes", [2, 47, 62])
def test_matrix_of_few_classes_is_drawn_whole(tmp_path: Path, drawn: dict[str, object], n_classes: int) -> None:
    draw(tmp_path / "matrix.png", n_classes)

    assert drawn["title"] == "trial 0"
    assert np.shape(drawn["table"]) == (n_classes, n_classes)


@pytest.mark.parametrize("n_classes", [63, 3_755])
def test_matrix_of_many_classes_is_no_larger(tmp_path: Path, drawn: dict[str, object], n_classes: int) -> None:
    size = draw(tmp_path / "many.png", n_classes)

    assert drawn["title"] == f"trial 0\nthe 40 most confused of {n_classes:,} classes"
    assert np.shape(drawn["table"]) == (40, 40)
    assert size <= draw(tmp_path / "few.png", 47)


def test_shares_of_the_most_confused_are_of_all_their_images(tmp_path: Path, drawn: dict[str, object]) -> None:
    labels = np.repeat(np.arange(100), 4)
    predictions = labels.copy()
    predictions[labels == 99] = [98, 98, 98, 0]
    predictions[:40:4] += 50  # of each of ten classes one

    confusion_matrix(Confusion.of(labels, predictions), [str(n) for n in range(100)], "a title", tmp_path / "a.png")

    assert np.asarray(drawn["table"])[-1, -2:].tolist() == [0.75, 0.0]


def test_curve_without_losses_is_drawn_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "curve.png"

    learning_curve([{"epoch": 1, "val_accuracy": 0.4}, {"epoch": 2, "val_accuracy": 0.5}], "a title", file)

    assert file.read_bytes().startswith(b"\x89PNG")
