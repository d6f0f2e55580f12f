"""Optuna's storage, in which a study can be deleted while workers write to it."""

from __future__ import annotations

from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from sqlalchemy.exc import IntegrityError

from storage.errors import StorageError

_TRIES = 20


class DeletingStorage(RDBStorage):
    """Deletes a study or says that it could not; all else is Optuna's.

    What others write to a study between Optuna's reading of its rows and its deleting them makes the database
    refuse: a row would outlive its trial. Optuna 5.0 passes over that, and the study stays without a word.
    """

    def delete_study(self, study_id: int) -> None:
        """Delete a study with all its trials.

        Raises:
            KeyError: if there is none.
            StorageError: if others wrote to it during each of many tries.
        """
        for _ in range(_TRIES):
            try:
                with self.scoped_session() as session, session.begin():
                    # SQLite locks all others out here, PostgreSQL those who would add a trial.
                    session.delete(models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True))
            except IntegrityError:
                continue
            return
        raise StorageError(
            f"the study could not be deleted, because workers wrote to it during each of {_TRIES} tries; "
            "stop them first (hpsearch stop), or try again"
        )
