"""In which order to spend time: hpsearch's rules of promotion against plain ASHA, on made-up learning curves.

    python benchmarks/scheduling.py
    python benchmarks/scheduling.py 40 parts     # what each part of the rules is worth; slower

No network is trained. A trial's accuracy is a power law of the images seen, with the noise of the
validation images it is measured on; networks differ in speed, in how soon they learn and how far they get, some
trials die. Both searches draw the same trials in the same order and use the project's own rules: plain ASHA
promotes what is among the best third of its rung; hpsearch also what is close to it, unless a new trial promises
more for its seconds, and places bets (search/worker/prospects.py). What counts is the true accuracy of the trial
that looks best.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import statistics
from dataclasses import dataclass, field, replace

from search.worker import prospects, rungs
from search.worker.forecast import Pace

N_IMAGES, EPOCHS, FACTOR = 13_500, 50, 3
LADDER = rungs.rungs(1500, N_IMAGES, EPOCHS, FACTOR)
END = EPOCHS * N_IMAGES
CHANCE = 1 / 47
WARM_SECONDS, JUDGING = 0.7, 1.1  # setup of a known network; time with judging, in shares of training
AT = (90, 300, 600, 1200)  # seconds
LATE = 2400


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


@dataclass(frozen=True)
class Rules:
    """Which parts of the rules are in force."""

    is_plain: bool = False
    """No bets, no promotion has to compete with new trials, and the best third is that to the last digit."""
    share: float = prospects.SHARE
    stays: bool = True
    """Whether a trial that would be chosen anyway goes on without pausing."""
    knows_errors: bool = True
    """Whether the standard error of a score is known."""
    competes: bool = True
    """Whether a trial that has earned more training must promise more than a new one."""


PLAIN = Rules(is_plain=True)
PARTS = {
    "plain ASHA": PLAIN,
    "hpsearch": Rules(),
    "every trial pauses at its rung": Rules(stays=False),
    "errors of scores not known": Rules(knows_errors=False),
    "what has earned more training need not compete": Rules(competes=False),
    "a trial takes half of the time at most": Rules(share=0.5),
    "a trial may take all of the time": Rules(share=1.0),
}


@dataclass
class Search:
    """A search by some workers, on a clock of its own."""

    networks: tuple[Network, ...]
    seed: int
    rules: Rules
    n_workers: int = 2
    trials: list[Trial] = field(default_factory=list)
    best: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, CHANCE)])
    """Seconds, and the true accuracy of what looked best from then on."""

    def run(self, seconds: float) -> None:
        """Search for so long."""
        self._chance = random.Random(self.seed)
        warm: list[set[str]] = [set() for _ in range(self.n_workers)]
        order = itertools.count()
        # Time, a tie-breaker, the worker, and the trial that it has just trained a stretch of.
        events: list[tuple[float, int, int, Trial | None]] = [
            (0.0, next(order), worker, None) for worker in range(self.n_workers)
        ]
        while events[0][0] < seconds:
            now, _, worker, trial = heapq.heappop(events)
            setup = 0.0
            if trial is None or not self._goes_on(trial, now):
                trial = self._claim(now)
                setup = WARM_SECONDS if trial.network.name in warm[worker] else trial.network.cold
                warm[worker].add(trial.network.name)
            images = rungs.next_judgement(trial.standing.images, LADDER, N_IMAGES) - trial.standing.images
            took = setup + (1000 if trial.is_dead else images * JUDGING) / trial.network.speed
            trial.seconds += took
            heapq.heappush(events, (now + took, next(order), worker, trial))

    def at(self, seconds: float) -> float:
        """True accuracy of what looked best at that time."""
        return [value for time, value in self.best if time <= seconds][-1]

    def reached(self, value: float) -> float:
        """Seconds until something so good looked best."""
        return next((time for time, found in self.best if found >= value), math.inf)

    def _goes_on(self, trial: Trial, now: float) -> bool:
        if trial.is_dead:
            trial.standing = replace(trial.standing, is_dead=True)
            return False
        trial.judge(knows_error=self.rules.knows_errors and not self.rules.is_plain)
        self._look(now)
        standing = trial.standing
        if standing.images >= END:
            trial.standing = replace(standing, has_ended=True)
            return False
        everybody = [one.standing for one in self.trials]
        if rungs.is_promoted(standing.number, everybody, LADDER, FACTOR):
            return True
        trial.standing = replace(standing, is_paused=True)
        is_plain = self.rules.is_plain
        if not is_plain and self.rules.stays and self._next(going=standing.number) == standing.number:
            trial.standing = standing
            return True
        if is_plain and standing.images not in LADDER:
            trial.standing = standing
            return True
        return False

    def _look(self, now: float) -> None:
        """Note what looks best now."""
        scored = [(score, trial) for trial in self.trials if (score := trial.standing.best_at(END))]
        score, trial = max(scored, key=lambda pair: pair[0].value)
        self.best.append((now, trial.accuracy(score.images)))

    def _claim(self, now: float) -> Trial:
        number = self._next() if self.trials else None
        if number is None:
            self.trials.append(drawn(len(self.trials), self.networks, self._chance))
            return self.trials[-1]
        trial = self.trials[number]
        trial.standing = replace(trial.standing, is_paused=False)
        return trial

    def _next(self, going: int | None = None) -> int | None:
        """The paused trial that goes on; `going` is still in its worker's memory."""
        everybody = [trial.standing for trial in self.trials]
        number = rungs.promotable(everybody, LADDER, FACTOR)
        if self.rules.is_plain:
            return number
        field = self._field(everybody, going)
        if number is not None and (not self.rules.competes or prospects.outdoes_new(field, number)):
            return number
        return prospects.bet(field)

    def _field(self, everybody: list[rungs.Standing], going: int | None) -> prospects.Field:
        paces = {
            number: Pace(setup=0.0 if number == going else WARM_SECONDS, per_image=JUDGING / trial.network.speed)
            for number, trial in enumerate(self.trials)
        }
        spent = sum(trial.seconds for trial in self.trials)
        return prospects.Field(
            standings=everybody,
            ladder=LADDER,
            n_images=N_IMAGES,
            end=END,
            factor=FACTOR,
            paces=paces,
            spent=spent,
            share=self.rules.share,
        )


def main(n_seeds: int) -> None:
    """Search each scene with both rules, and print a table for each."""
    for scene, networks in SCENES.items():
        plain, ours = (searched(networks, rules, n_seeds, AT[-1]) for rules in (PLAIN, Rules()))
        print(f"\n{scene}, {n_seeds} seeds, two workers\n")
        print("| seconds | plain ASHA | hpsearch | difference | time that hpsearch took for it, in shares |")
        print("| --- | --- | --- | --- | --- |")
        for seconds in AT:
            print(row(seconds, plain, ours))


def parts(n_seeds: int) -> None:
    """Print for each scene what is reached without single parts of the rules."""
    times = (*AT, LATE)
    for scene, networks in SCENES.items():
        print(f"\n{scene}, {n_seeds} seeds, two workers; against plain ASHA\n")
        print(f"| | {' | '.join(f'{seconds} s' for seconds in times)} |\n| --- |{' --- |' * len(times)}")
        plain = searched(networks, PLAIN, n_seeds, LATE)
        for name, rules in PARTS.items():
            searches = searched(networks, rules, n_seeds, LATE)
            print(f"| {name} | {' | '.join(difference(seconds, plain, searches) for seconds in times)} |", flush=True)


def searched(networks: tuple[Network, ...], rules: Rules, n_seeds: int, seconds: float) -> list[Search]:
    """One search a seed."""
    searches = [Search(networks, seed, rules) for seed in range(n_seeds)]
    for search in searches:
        search.run(seconds)
    return searches


def row(seconds: float, plain: list[Search], ours: list[Search]) -> str:
    """Means, their difference, and the median ratio of times."""
    means = (statistics.fmean(search.at(seconds) for search in searches) for searches in (plain, ours))
    shares = [
        one.reached(other.at(seconds)) / other.reached(other.at(seconds))
        for other, one in zip(plain, ours, strict=True)
    ]
    shown = " | ".join(f"{mean:.3f}" for mean in means)
    return f"| {seconds} | {shown} | {difference(seconds, plain, ours)} | {statistics.median(shares):.2f} |"


def difference(seconds: float, plain: list[Search], ours: list[Search]) -> str:
    """Mean difference of accuracy and its standard error."""
    found = [one.at(seconds) - other.at(seconds) for other, one in zip(plain, ours, strict=True)]
    return f"{statistics.fmean(found):+.3f} ± {statistics.stdev(found) / math.sqrt(len(found)):.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare orders of spending time, on made-up learning curves.")
    parser.add_argument("seeds", nargs="?", type=int, default=100, help="searches for each rule (100)")
    parser.add_argument("parts", nargs="?", choices=["parts"], help="leave out single parts of the rules instead")
    options = parser.parse_args()
    (parts if options.parts else main)(options.seeds)
