"""A search with the project's rules of promotion, or without parts of them, on a clock of its own."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass, field, replace

from promotion.trials import CHANCE, END, FACTOR, JUDGING, LADDER, N_IMAGES, WARM_SECONDS, Network, Trial, drawn
from search.worker import prospects, rungs
from search.worker.forecast import Pace


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
    """Whether a paused trial that has earned more training must promise more than a new one."""
    all_compete: bool = False
    """Whether one that has just been judged must, too."""


PLAIN = Rules(is_plain=True)
PARTS = {
    "plain ASHA": PLAIN,
    "hpsearch": Rules(),
    "every trial pauses at its rung": Rules(stays=False),
    "errors of scores not known": Rules(knows_errors=False),
    "what has earned more training need not compete": Rules(competes=False),
    "what has just been judged must compete as well": Rules(all_compete=True),
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
        if rungs.is_promoted(standing.number, everybody, LADDER, FACTOR) and not self._is_outdone(standing):
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

    def _is_outdone(self, standing: rungs.Standing) -> bool:
        """Whether a new trial comes before one that has just been judged."""
        if not self.rules.all_compete:
            return False
        going = replace(standing, is_paused=True)
        everybody = [going if trial.standing is standing else trial.standing for trial in self.trials]
        return not prospects.outdoes_new(self._field(everybody, standing.number), standing.number)

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
