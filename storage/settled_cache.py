"""Optuna's storage for those who look on: what may still change is read again each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.storages._cached_storage import _CachedStorage

from storage.held_trials import has_ended, held_trials

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial


class SettledCache(_CachedStorage):
    """Keeps the trials that have ended for good, and no others.

    Optuna's own cache keeps every trial that its tables show as complete. A paused trial is one of those, and the cache
    would show the value of its first pause for as long as the process lives.
    """

    _backend: RDBStorage

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        # Asked before the trials are read: one that ends in between is read once more.
        settled = self._settled(study_id)
        super()._read_trials_from_remote_storage(study_id)
        with self._lock:
            found = self._studies[study_id]
            found.unfinished_trial_ids.update(
                trial._trial_id for trial in found.trials.values() if trial._trial_id not in settled
            )

    def _get_cached_trial(self, trial_id: int) -> FrozenTrial | None:
        study_id, _ = self._trial_id_to_study_id_and_number.get(trial_id, (None, None))
        if study_id is None or trial_id in self._studies[study_id].unfinished_trial_ids:
            return None
        return super()._get_cached_trial(trial_id)

    def _settled(self, study_id: int) -> set[int]:
        """Optuna's keys of the study's trials that have ended for good."""
        with self._backend.engine.connect() as connection:
            return {row.trial_id for row in connection.execute(held_trials(study_id)) if has_ended(row)}
