"""Trials of made-up networks: what each is worth after how many images."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from search.worker import rungs

N_IMAGES, EPOCHS, FACTOR = 13_500, 50, 3
LADDER = rungs.rungs(1500, N_IMAGES, EPOCHS, FACTOR)
END = EPOCHS * N_IMAGES
CHANCE = 1 / 47
WARM_SECONDS, JUDGING = 0.7, 1.1  # setup of a known network; time with judging, in shares of training


@dataclass(frozen=True)
class Network:
    """What trials of one architecture are like."""

    name: str
    speed: float
    """Images a second."""
    cold: float
    """Seconds of the first set-up."""
    top: float
    """Accuracy that the middle one would come to."""
    half: float
    """Images after which a good one has learned about half."""
    dead: float
    """Share that dies at once."""
    late: int = 0
    """Images that it sees before its accuracy leaves chance."""


SCENES = {
    "four networks": (
        Network("DenseNet121", 300, 16, 0.84, 6_000, 0.1),
        Network("MobileNet", 1100, 5, 0.84, 12_000, 0.1, 3_000),
        Network("EfficientNetB1", 400, 13, 0.83, 30_000, 0.1, 3_000),
        Network("VGG16", 100, 4, 0.86, 25_000, 0.5),
    ),
    "four equal ones": tuple(Network(name, 400, 8, 0.84, 15_000, 0.15) for name in "ABCD"),
    "fast and very slow": (
        Network("DenseNet121", 300, 16, 0.82, 6_000, 0.1),
        Network("MobileNet", 1100, 5, 0.84, 20_000, 0.1),
        Network("slow", 60, 30, 0.83, 20_000, 0.1),
        Network("very slow", 20, 4, 0.86, 25_000, 0.5),
    ),
}


@dataclass
class Trial:
    """One point: its curve, and where it stands."""

    network: Network
    top: float
    half: float
    power: float
    is_dead: bool
    noise: random.Random
    standing: rungs.Standing
    seconds: float = 0.0

    def accuracy(self, images: int) -> float:
        """What it is truly worth."""
        learned = max(0, images - self.network.late) / self.half
        return self.top - (self.top - CHANCE) * math.pow(1 + learned, -self.power)

    def judge(self, *, knows_error: bool) -> None:
        """Train to the next judgement and measure there."""
        images = rungs.next_judgement(self.standing.images, LADDER, N_IMAGES)
        n = 1504 if images >= N_IMAGES else 600 if images < LADDER[1] else 1200
        true = self.accuracy(images)
        seen = min(1.0, max(0.0, self.noise.gauss(true, math.sqrt(true * (1 - true) / n))))
        error = math.sqrt(seen * (1 - seen) / n) if knows_error else 0.0
        score = rungs.Score(images=images, value=seen, error=error, is_partial=images < N_IMAGES)
        self.standing = replace(self.standing, scores=(*self.standing.scores, score))


def drawn(number: int, networks: tuple[Network, ...], chance: random.Random) -> Trial:
    """The trial of a number: each network's default first, and then any point."""
    is_default = number < len(networks)
    network = networks[number] if is_default else chance.choice(networks)
    badness = 0.0 if is_default else abs(chance.gauss(0, 1.2))
    return Trial(
        network=network,
        top=network.top + (0.0 if is_default else chance.gauss(0, 0.03)) - 0.06 * badness * chance.random(),
        half=network.half * math.exp(badness),
        power=chance.uniform(1.2, 2.2),
        is_dead=not is_default and chance.random() < network.dead,
        noise=random.Random(chance.random()),
        standing=rungs.Standing(number=number, scores=(), is_paused=False, has_ended=False),
    )
