"""Which runs are recorded: each a network, an optimizer, a learning rate, a batch size and a seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

N_STEPS = 500
"""Steps of a run: about 100 in which it may be judged, 400 more that show what became of it."""


@dataclass(frozen=True)
class Structure:
    """A network as far as its graph goes: runs of one structure share it."""

    architecture: str
    blocks: int | None = None
    layers: int = 1
    width: int = 512
    dropout: float = 0.0
    pool: str = "flatten"

    @property
    def key(self) -> str:
        """Short and unique, such as `VGG16-5_2x512_d0.3`."""
        depth = f"-{self.blocks}" if self.blocks else ""
        pool = "_avg" if self.pool == "avg" else ""
        return f"{self.architecture}{depth}_{self.layers}x{self.width}_d{self.dropout:g}{pool}"


@dataclass(frozen=True)
class Run:
    """One run."""

    structure: Structure
    optimizer: str
    learning_rate: float
    batch_size: int = 32
    seed: int = 0

    @property
    def key(self) -> str:
        """The name of its file."""
        return f"{self.structure.key}__{self.optimizer}_{self.learning_rate:g}_b{self.batch_size}_s{self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """As one flat mapping."""
        values = asdict(self)
        return {**values.pop("structure"), **values}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Run:
        """The run that `to_dict` gave."""
        names = Structure.__dataclass_fields__
        structure = Structure(**{name: values[name] for name in names})
        return cls(structure, **{name: value for name, value in values.items() if name not in names})


def _runs(structure: Structure, *settings: tuple[Any, ...]) -> list[Run]:
    return [Run(structure, *setting) for setting in settings]


_HEAD: dict[str, Any] = {"layers": 2, "width": 512, "dropout": 0.3}

# Small batches where a step is dear: one core makes all of them in about two hours.
_GROUPS: tuple[list[Run], ...] = (
    _runs(
        Structure("VGG16", 5, **_HEAD),
        ("adam", 1e-4, 8), ("adam", 1e-3, 8), ("sgd", 1e-2, 8), ("rmsprop", 1e-3, 8), ("adam", 1e-4, 64),
    ),
    _runs(
        Structure("LeNet5", None, 1, 84),
        ("adam", 1e-3), ("adam", 1e-2), ("adam", 1e-1), ("adam", 1e-4), ("adam", 1e-5), ("sgd", 1e-3), ("sgd", 1e-2),
        ("sgd", 1e-1), ("sgd", 1.0), ("sgd", 3.0), ("adamw", 3e-2), ("adam", 3e-2, 64, 1), ("adam", 1e-1, 128, 1),
        ("adam", 5e-2, 32, 2), ("sgd", 3e-1, 32, 1), ("adamw", 1e-1, 64, 3),
    ),
    _runs(
        Structure("MobileNet", None, 1, 512),
        ("sgd", 3.0, 32), ("adam", 1e-1, 16), ("adam", 1e-3, 16), ("adam", 1e-5, 16), ("sgd", 1e-2, 16),
        ("adam", 1e-2, 16), ("sgd", 3.0, 16, 1), ("adam", 1e-3, 64),
    ),
    _runs(
        Structure("LeNet5", None, 3, 1024, 0.5),
        ("adam", 1e-3), ("adam", 1e-2), ("adam", 1e-1), ("sgd", 1e-2), ("adam", 3e-3, 16, 1), ("sgd", 1e-1, 16),
        ("adamw", 2e-2, 64, 2), ("adam", 1e-4, 16),
    ),
    _runs(
        Structure("VGG16", 2, 2, 256, 0.5),
        ("adam", 1e-3, 8), ("adam", 1e-2, 8), ("adam", 1e-5, 8), ("sgd", 1e-2, 8), ("adam", 1e-1, 8), ("sgd", 1.0, 8),
        ("sgd", 1e-1, 16, 1),
    ),
    _runs(
        Structure("VGG16", 3, 1, 256),
        ("adam", 1e-4, 8), ("adam", 1e-3, 8), ("adam", 1e-2, 8), ("sgd", 1e-1, 8), ("sgd", 1e-2, 8),
        ("adam", 2e-3, 8, 1),
    ),
    _runs(
        Structure("MobileNetV2", None, 1, 512),
        ("adam", 1e-1, 16), ("adam", 1e-3, 8), ("sgd", 3.0, 8), ("adam", 1e-5, 8), ("adam", 1e-1, 8, 1),
        ("adam", 1e-1, 128), ("adam", 1e-3, 32),
    ),
    _runs(
        Structure("DenseNet121", None, 1, 512),
        ("adam", 1e-1, 16), ("adam", 1e-1, 8, 1), ("adam", 1e-3, 8), ("adam", 1e-5, 8), ("sgd", 3.0, 8),
        ("adam", 1e-1, 64),
    ),
    _runs(
        Structure("VGG19", 2, 2, 256), ("adam", 1e-3, 8), ("adam", 1e-2, 8), ("adamw", 1e-4, 8), ("sgd", 1e-1, 8)
    ),
    _runs(Structure("LeNet5", None, 0, 84), ("adam", 1e-2), ("adam", 1e-1), ("sgd", 1.0), ("adam", 1e-3, 16, 2)),
    _runs(
        Structure("EfficientNetB1", None, 1, 512, 0.2, "avg"),
        ("adam", 1e-3, 8), ("adam", 1e-1, 8), ("adam", 1e-5, 8), ("sgd", 3.0, 8), ("adam", 1e-3, 32),
    ),
    _runs(Structure("VGG19", 5, **_HEAD), ("adam", 1e-3, 8), ("sgd", 1e-2, 8)),
    _runs(
        Structure("ResNet50", None, 1, 256),
        ("adam", 1e-3, 8), ("adam", 1e-1, 8), ("adam", 1e-5, 8), ("sgd", 3.0, 8), ("adam", 1e-3, 32),
        ("adam", 1e-2, 32),
    ),
    _runs(
        Structure("MobileNet", None, 2, 256, 0.5, "avg"), ("adam", 3e-3, 16), ("adam", 1e-1, 16, 1), ("sgd", 3e-2, 16)
    ),
    _runs(Structure("VGG16", 4, 1, 512), ("adam", 1e-3, 8), ("adam", 3e-5, 8), ("sgd", 1e-1, 8)),
    _runs(Structure("VGG19", 3, 1, 512, 0.3), ("adam", 1e-3, 8), ("adam", 1e-4, 8)),
    _runs(
        Structure("LeNet5", None, 2, 256, 0.3),
        ("adam", 3e-2, 32, 1), ("adam", 6e-2, 16), ("sgd", 5e-1, 32), ("adamw", 1e-2, 128), ("rmsprop", 3e-2, 32),
        ("rmsprop", 1e-1, 64),
    ),
    _runs(
        Structure("LeNet5", None, 1, 120, 0.5),
        ("adam", 1e-3, 32, 1), ("adam", 2e-2, 32, 1), ("adam", 4e-2, 32, 1), ("sgd", 5e-2, 32, 1), ("sgd", 6e-1, 32, 1),
        ("sgd", 2.0, 32, 1), ("adamw", 5e-2, 16, 2), ("rmsprop", 1e-2, 32, 2), ("rmsprop", 5e-2, 32, 2),
        ("adam", 3e-5, 16, 2), ("sgd", 3e-4, 16, 2), ("adam", 3e-1, 64, 2),
    ),
    _runs(Structure("VGG16", 3, 0, 512, 0.0, "avg"), ("adam", 3e-3, 8), ("sgd", 3e-2, 8)),
    _runs(Structure("VGG19", 4, 2, 512, 0.5), ("adam", 1e-3, 8)),
)  # fmt: skip

_AT_ONCE = 3
"""Runs of one structure in a row, so that its graph is used while it is there."""


def all_runs() -> tuple[Run, ...]:
    """Every run: those of LeNet-5, which take seconds, then so that any first part of the rest is a fair sample."""
    portions = zip_longest(*(_portions(group) for group in _GROUPS), fillvalue=[])
    runs = [run for row in portions for portion in row for run in portion]
    return tuple(sorted(runs, key=lambda run: run.structure.architecture != "LeNet5"))


def _portions(group: list[Run]) -> Iterator[list[Run]]:
    for start in range(0, len(group), _AT_ONCE):
        yield group[start : start + _AT_ONCE]


def keys(runs: Iterable[Run]) -> set[str]:
    """Their names, which must differ."""
    names = [run.key for run in runs]
    assert len(set(names)) == len(names)
    return set(names)
