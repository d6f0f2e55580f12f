"""After each judgement of a trial: go on, pause, or end."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from search.training.vitals.diagnosis import BEGINNING
from search.worker.scene import Scene, ladder

if TYPE_CHECKING:
    from collections.abc import Container

    from search.study import Study
    from search.training.messages import Action
    from search.trial import State


_STATES: dict[State, TrialState] = {
    "running": TrialState.RUNNING,
    "paused": TrialState.RUNNING,
    "pruned": TrialState.PRUNED,
}
"""What Optuna's pruners take a trial for that its tables show as complete."""


class Judge:
    """The space's pruner, asked after each judgement that has been recorded. Its unit are images seen."""

    def __init__(self, study: Study) -> None:
        """Choose by the name in the space file."""
        self._study = study
        self._n_images = study.data.n_train
        self._ladder = ladder(study.space, self._n_images)
        self._pruner = _pruner(study)
        self._true_states = _TrueStates(study)

    @property
    def judge_at(self) -> tuple[int, ...]:
        """Images seen at which a trial is to be judged, besides the ends of its epochs."""
        return self._ladder

    def verdict(self, number: int, images: int, condition: str | None = None) -> Action:
        """What a trial that has just been judged, having seen `images` images, should do.

        One whose `condition` says that it has not begun to learn, and may, is never stopped for its scores.
        """
        if images >= self._study.space.budget.epochs * self._n_images:
            return "continue"  # it ends by itself, as finished
        if self._study.space.pruner.name == "asha":
            return "continue" if Scene(self._study, self._study.trials(), number).goes_on(number) else "pause"
        if self._pruner is None or condition in BEGINNING:
            return "continue"
        frozen = self._study.store.optuna.get_trial(self._study.trial_id(number))
        return "stop" if self._pruner.prune(self._true_states, frozen) else "continue"

    def carry(self, number: int, images: int, best: float) -> None:
        """Carry an early-stopped trial's best value to the epochs that it did not need.

        Optuna's pruners compare at equal steps only: without this, a trial that was good and
        quick is missing there, and the others are held against the slow ones. `asha` needs no
        such help, see `rungs.Standing`.
        """
        if self._pruner is None:
            return
        trial_id = self._study.trial_id(number)
        for epoch in range(images // self._n_images + 1, self._study.space.budget.epochs + 1):
            self._study.store.optuna.set_trial_intermediate_value(trial_id, epoch * self._n_images, best)
            frozen = self._study.store.optuna.get_trial(trial_id)
            # Asked for what it writes: successive halving notes each rung that is passed.
            if self._pruner.prune(self._true_states, frozen):
                return


class _TrueStates(optuna.Study):
    """The study as Optuna's pruners should see it: in its tables paused and pruned trials are complete."""

    def __init__(self, study: Study) -> None:
        super().__init__(study.name, study.store.for_reading())
        self._ours = study

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[optuna.trial.FrozenTrial]:
        recorded = {trial.number: trial.state for trial in self._ours.trials()}
        found = [_in_state(frozen, recorded.get(frozen.number)) for frozen in super().get_trials(deepcopy=deepcopy)]
        return found if states is None else [trial for trial in found if trial.state in states]


def _in_state(frozen: optuna.trial.FrozenTrial, recorded: State | None) -> optuna.trial.FrozenTrial:
    if frozen.state is not TrialState.COMPLETE or recorded not in _STATES:
        return frozen
    changed = copy(frozen)
    changed.state = _STATES[recorded]
    return changed


def _pruner(study: Study) -> optuna.pruners.BasePruner | None:
    space, n_images = study.space, study.data.n_train
    if space.pruner.name == "hyperband":
        # Never guessed: the first trial to end may have stopped early, and would fix the ladder.
        return optuna.pruners.HyperbandPruner(
            min_resource=space.pruner.min_epochs * n_images,
            max_resource=space.budget.epochs * n_images,
            reduction_factor=space.pruner.reduction_factor,
        )
    if space.pruner.name == "median":
        return optuna.pruners.MedianPruner(
            n_startup_trials=space.pruner.startup_trials,
            # Optuna counts from 0 and prunes at this very step; the last epoch of the warm-up is spared, too.
            n_warmup_steps=space.pruner.warmup_epochs * n_images + 1,
        )
    return None
