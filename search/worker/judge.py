"""After each epoch: go on, pause, or end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna

from search.worker import rungs
from search.worker.claim import ladder, standings

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import Action


class Judge:
    """The space's pruner, asked at the end of each epoch that has been recorded."""

    def __init__(self, study: Study) -> None:
        """Choose by the name in the space file."""
        self._study = study
        self._ladder = ladder(study.space)
        self._pruner = _pruner(study)

    def verdict(self, number: int, epoch: int) -> Action:
        """What a trial that has just ended an epoch should do."""
        if epoch >= self._study.space.budget.epochs:
            return "continue"  # it ends by itself, as finished
        if self._study.space.pruner.name == "asha":
            return self._at_rung(number, epoch)
        if self._pruner is None:
            return "continue"
        frozen = self._study.store.optuna.get_trial(self._study.trial_id(number))
        return "stop" if self._pruner.prune(self._study.optuna, frozen) else "continue"

    def carry(self, number: int, epochs: int, best: float) -> None:
        """Carry an early-stopped trial's best value to the epochs that it did not need.

        Optuna's pruners compare at equal epochs only: without this, a trial that was good and
        quick is missing there, and the others are held against the slow ones. `asha` needs no
        such help, see `rungs.Standing`.
        """
        if self._pruner is None:
            return
        trial_id = self._study.trial_id(number)
        for epoch in range(epochs + 1, self._study.space.budget.epochs + 1):
            self._study.store.optuna.set_trial_intermediate_value(trial_id, epoch, best)
            frozen = self._study.store.optuna.get_trial(trial_id)
            # Asked for what it writes: successive halving notes each rung that is passed.
            if self._pruner.prune(self._study.optuna, frozen):
                return

    def _at_rung(self, number: int, epoch: int) -> Action:
        if epoch not in self._ladder:
            return "continue"
        space = self._study.space
        here = standings(self._study.trials(), space)
        factor = space.pruner.reduction_factor
        # Already among the best of its rung: pausing it would only cost its set-up again.
        return "continue" if rungs.is_promoted_at(number, epoch, here, factor) else "pause"


def _pruner(study: Study) -> optuna.pruners.BasePruner | None:
    space = study.space
    if space.pruner.name == "hyperband":
        # Never guessed: the first trial to end may have stopped early, and would fix the ladder.
        return optuna.pruners.HyperbandPruner(
            min_resource=space.pruner.min_epochs,
            max_resource=space.budget.epochs,
            reduction_factor=space.pruner.reduction_factor,
        )
    if space.pruner.name == "median":
        return optuna.pruners.MedianPruner(
            n_startup_trials=space.pruner.startup_trials, n_warmup_steps=space.pruner.warmup_epochs
        )
    return None
