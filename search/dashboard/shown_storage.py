"""The store as the dashboard shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.study import StudyDirection
from optuna.trial import TrialState

from storage.settled_cache import SettledCache

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class ShownStorage(SettledCache):
    """Names the best trial as `hpsearch best` does: one that is trained right now counts with its best value so far.

    Optuna itself looks at complete trials alone. While the best one is trained on, that would be another one.
    """

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """The trial with the best value, the earlier one of two equals; raises ValueError where none has a value."""
        [direction] = self.get_study_directions(study_id)
        sign = 1.0 if direction is StudyDirection.MAXIMIZE else -1.0
        trials = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.COMPLETE, TrialState.RUNNING))
        scored = [trial for trial in trials if trial.values]
        if not scored:
            raise ValueError("No trials are completed yet.")  # as Optuna says it
        return max(scored, key=lambda trial: (sign * trial.values[0], -trial.number))
