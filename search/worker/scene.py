"""What a decision is made on: a study at one moment, as the rules of promotion see it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from search.training.messages import PARTIAL
from search.worker import prospects, rungs
from search.worker.forecast import fits, pace_of
from search.worker.proposal import propose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.study import Study
    from search.trial import TrialRecord
    from search.worker.forecast import Pace
    from spaces.space import Space


class Scene:
    """A study at one moment. It looks at clock and trials once."""

    def __init__(self, study: Study, trials: Sequence[TrialRecord], going: int | None = None) -> None:
        """Look at the clock.

        Args:
            study: whose.
            trials: all of the study's, by number.
            going: the one that has just been judged. It is taken for a paused one without set-up to pay.
        """
        control = study.control()
        self.study = study
        self.trials = [replace(trial, state="paused") if trial.number == going else trial for trial in trials]
        self._going = going
        self.is_late = False
        """Whether something was left alone because it does not fit into the time left."""
        self._ladder = ladder(study.space, study.data.n_train)
        self._factor = study.space.pruner.reduction_factor
        self._seconds_left = None if control.deadline is None else control.deadline - study.store.now()
        self._budget = control.trials

    def fits(self, params: Mapping[str, Any], images: int = 0) -> bool:
        """Whether a point that has seen `images` images can still get a score; remembers if one cannot."""
        needed = rungs.next_judgement(images, self._ladder, self.study.data.n_train) - images
        if fits(params, self.trials, self._seconds_left, needed):
            return True
        self.is_late = True
        return False

    def may_begin(self) -> bool:
        """Whether a further trial may begin: the budget of trials has room, and a grid has points."""
        begun = sum(trial.state != "waiting" for trial in self.trials)
        if self._budget is not None and begun >= self._budget:
            return False
        is_sampled = self.study.space.sampler.name != "grid" or begun < len(self.trials)
        return is_sampled or propose(self.study.space, self.trials, self.study.seed) is not None

    def earned(self) -> int | None:
        """The paused trial that has earned more training, unless a new one promises more for its seconds.

        See `rungs.promotable` and `prospects.outdoes_new`.
        """
        number = rungs.promotable(self._standings, self._ladder, self._factor)
        if number is None or not self.may_begin() or prospects.outdoes_new(self._field, number):
            return number
        return None

    def bet(self) -> int | None:
        """The paused trial that promises more for its seconds than a new one; see `prospects.bet`."""
        if not self._ladder or not self.may_begin():
            return None
        return prospects.bet(self._field)

    def goes_on(self, number: int) -> bool:
        """Whether a paused trial is what to train next, or among the best of its rung.

        The latter also where another one comes first: pausing it would only cost its set-up again. Before the first
        rung there is nothing to compare, and a trial that paused there would wait for ever.
        """
        if not self._ladder or self.trials[number].images < self._ladder[0]:
            return True
        if rungs.is_promoted(number, self._standings, self._ladder, self._factor):
            return True
        if self.earned() is not None:
            return False
        bet = self.bet()
        return number == (self.last_call() if bet is None else bet)

    def last_call(self) -> int | None:
        """Where no new trial can begin, or none in time: the best paused one of its rung, the highest rung first."""
        if self.may_begin() and not self.is_late:
            return None
        return rungs.promotable(self._standings, self._ladder, self._factor, is_last_call=True)

    @cached_property
    def _field(self) -> prospects.Field:
        return prospects.Field(
            standings=self._standings, ladder=self._ladder, n_images=self.study.data.n_train,
            end=self.study.space.budget.epochs * self.study.data.n_train,
            factor=self._factor, paces=self._paces(), ceiling=_ceiling(self.study.space),
            spent=sum(trial.seconds.get("total", 0.0) for trial in self.trials),
        )  # fmt: skip

    @cached_property
    def _standings(self) -> list[rungs.Standing]:
        return standings(self.trials, self.study.space, self.study.data.n_validation)

    def _paces(self) -> dict[int, Pace]:
        architectures = {trial.params.get("architecture") for trial in self.trials}
        known = {architecture: pace_of(architecture, self.trials) for architecture in architectures}
        found = ((trial.number, known[trial.params.get("architecture")]) for trial in self.trials)
        paces = {number: pace for number, pace in found if pace is not None}
        if self._going in paces:
            paces[self._going] = replace(paces[self._going], setup=0.0)
        return paces


def standings(trials: Sequence[TrialRecord], space: Space, n_validation: int) -> list[rungs.Standing]:
    """The trials as the rungs see them; queued ones and those lost for outside causes are left out."""
    return [
        rungs.Standing(
            number=trial.number,
            scores=_scores(trial, space, n_validation),
            is_paused=trial.state == "paused",
            has_ended=_came_to_its_end(trial),
            is_dead=trial.state == "failed",
        )
        for trial in trials
        if trial.state != "waiting" and not _says_nothing(trial)
    ]


def _came_to_its_end(trial: TrialRecord) -> bool:
    """Whether a trial has ended by itself: one that its study cut short was not beaten at the rungs ahead of it."""
    return trial.outcome is not None and trial.outcome.reason in ("finished", "early_stopped")


def ladder(space: Space, n_train: int) -> tuple[int, ...]:
    """The images seen at which trials of this space pause; empty unless its pruner is `asha`.

    `n_train` is the number of training images.
    """
    pruner = space.pruner
    if pruner.name != "asha":
        return ()
    return rungs.rungs(pruner.min_images, n_train, space.budget.epochs, pruner.reduction_factor)


def _scores(trial: TrialRecord, space: Space, n_validation: int) -> tuple[rungs.Score, ...]:
    sign = 1.0 if space.objective.direction == "maximize" else -1.0
    metric = space.objective.metric
    return tuple(
        rungs.Score(
            images=int(entry["images"]),
            value=sign * entry[metric],
            error=_error(metric, entry[metric], int(entry.get(PARTIAL, n_validation))),
            is_partial=PARTIAL in entry,
        )
        for entry in trial.curve
        if metric in entry
    )


def _ceiling(space: Space) -> float:
    """The best value there can be: metrics are shares or losses, the latter negated."""
    return 1.0 if space.objective.direction == "maximize" else 0.0


def _error(metric: str, value: float, n: int) -> float:
    """Standard error of a share of `n` images; 0 for other metrics, where the images do not tell."""
    return math.sqrt(value * (1.0 - value) / n) if metric == "val_accuracy" else 0.0


def _says_nothing(trial: TrialRecord) -> bool:
    """Whether a trial failed for a cause that its parameters have no part in."""
    reasons = ("lost", "cancelled", "bad_data", "crashed", "stalled")
    return trial.state == "failed" and trial.outcome is not None and trial.outcome.reason in reasons
