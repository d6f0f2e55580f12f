"""A leg of the race, one contestant with one seed, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CONTESTANTS = ("hpsearch", "optuna", "optuna-honest", "keras-tuner", "keras-tuner-honest")
SEEDS = (0, 1, 2)
KEPT = Path(__file__).parent / "results"
"""The results that the project keeps."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """Who runs, and for how long."""

    contestant: str
    seed: int
    minutes: float

    @property
    def key(self) -> str:
        """The name of its folder and its file, such as `optuna-honest-s1-20m`."""
        return f"{self.contestant}-s{self.seed}-{self.minutes:g}m"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One validation accuracy, at the moment at which the contestant had it."""

    seconds: float
    """Since the contestant's process was started, its imports included."""
    trial: int
    epoch: float
    value: float
    """Share of the validation images, in [0, 1]."""
    val_images: int | None = None
    """Validation images that it was measured on; None for the whole part."""


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The contestant's best trial, measured after the race."""

    params: dict[str, Any]
    value: float
    """Validation accuracy that the contestant recorded for it."""
    test_accuracy: float
    """Share of the test images, which no contestant has seen."""
    n_test: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """What is kept of a leg."""

    leg: Leg
    scores: tuple[Score, ...]
    """In the order of time."""
    winner: Winner | None
    """None where no trial came to a score."""
    circumstances: dict[str, Any]
    """Cores, load before the start, versions, how the contestant's process ended."""

    def save(self, folder: Path) -> Path:
        """Write the result into its file, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.leg.key}.json"
        plain = asdict(self)
        # A score a line: the files are read by people, too.
        scores = ",\n".join(f"  {json.dumps(score)}" for score in plain.pop("scores"))
        text = json.dumps(plain, indent=1).removesuffix("\n}") + f',\n "scores": [\n{scores}\n ]\n}}\n'
        temporary = file.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(file)
        return file

    @classmethod
    def load(cls, file: Path) -> Result:
        """The result that `save` wrote."""
        plain = json.loads(file.read_text())
        return cls(
            leg=Leg(**plain["leg"]),
            scores=tuple(Score(**score) for score in plain["scores"]),
            winner=Winner(**plain["winner"]) if plain["winner"] else None,
            circumstances=plain["circumstances"],
        )


def results(folder: Path, minutes: float) -> list[Result]:
    """The results of all legs of this length, contestants in their order, then by seed."""
    found = [Result.load(file) for file in sorted(folder.glob("*.json"))]
    same = [result for result in found if result.leg.minutes == minutes]
    return sorted(same, key=lambda result: (CONTESTANTS.index(result.leg.contestant), result.leg.seed))


def missing(folder: Path, minutes: float) -> list[Leg]:
    """The legs that have no result yet; each seed's contestants run one after the other."""
    legs = [Leg(contestant=name, seed=seed, minutes=minutes) for seed in SEEDS for name in CONTESTANTS]
    return [leg for leg in legs if not (folder / f"{leg.key}.json").exists()]
