"""Recording a result once: decided in the ledger, told to Optuna, read back."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from search.errors import StudyNotFoundError
from search.studies import PassedOver, forget_deleted
from search.study import Study
from search.worker import keepsakes
from search.worker.recording import Recording
from search.worker.results import Result
from storage.failpoints import passing

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from search.worker.spool import Spool
    from storage.store import Store

N_LOCKS = 16
"""A study's, under which results are told: on SQLite each is a file that stays, so not one for every trial."""
_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.COMPLETE, "failed": TrialState.FAIL}
"""Pruned trials have a true value and weights, and count for `best`. Optuna's best trial, history and importance look
at complete ones only, so they are that in its tables; the attribute `state` says what they are here."""

logger = logging.getLogger(__name__)


def deliver(study: Study, result: Result) -> bool:
    """Record a result, or keep it as late; True if it was accepted.

    Whoever did not hear the answer, or finds the result in a spool, may do it again, at any time and in
    any process: a result is accepted once, in the ledger, and everything after that is repeated
    until it is done.

    Raises:
        StorageError, or an error of Optuna's or SQLAlchemy's: if the database does not answer.
    """
    if not study.store.ledger.decide(result.token, result.to_json()):
        return _too_late(study, result)
    passing("decided")
    is_accepted = tell(study, result)
    keepsakes.clear(study)
    return is_accepted


def tell(study: Study, result: Result) -> bool:
    """Carry out what the ledger has decided; True unless the trial was ended otherwise meanwhile."""
    trial_id = study.trial_id(result.number)
    with study.store.lock(f"tell {study.name} {result.number % N_LOCKS}"):
        if not study.store.optuna.get_trial(trial_id).state.is_finished():
            _write(study, result, trial_id)
            passing("told")
        # Read back: what counts is what stands there.
        is_accepted = _says(study.store.optuna.get_trial(trial_id), result)
        study.store.ledger.end(result.token)
    return is_accepted or _too_late(study, result)


def finish_others(store: Store, spool: Spool, seconds: float) -> None:
    """Carry out what other workers have left undone: decided, or in their spools for so many seconds."""
    passed_over = PassedOver(logger.warning)
    for holding in store.ledger.unfinished():  # or its worker is just slow: then both do it
        if holding.result is not None:
            with passed_over.over(holding.study):
                _finish(store, Result.from_json(holding.result))
    for result, other in spool.others(seconds):
        with passed_over.over(result.study):
            _finish(store, result)
            other.remove(result)


def _finish(store: Store, result: Result) -> None:
    try:
        study = Study(store, result.study)
    except StudyNotFoundError as error:
        logger.warning("the result of trial %d is of no use: %s", result.number, error)
        forget_deleted(store, result.study)
        return
    if deliver(study, result):
        logger.info("recorded trial %d of %s for %s", result.number, result.study, result.worker)


def _write(study: Study, result: Result, trial_id: int) -> None:
    recording = Recording(study, result.number, result.token)
    recording.restore(result)
    recording.write()
    study.note(result.number, "outcome", asdict(result.outcome))
    recording.show(result.outcome, result.state)
    if result.value is None:
        keepsakes.note(study, result.number, f"**{result.outcome.reason}**: {result.outcome.why}")
    else:
        keepsakes.attach(study, result.number, result.outcome, result.value)
    if result.value is None:
        study.store.records.clear_value(result.token)  # of a pause before it failed
    values = None if result.value is None else [result.value]
    study.store.optuna.set_trial_state_values(trial_id, _STATES[result.state], values)


def _says(told: FrozenTrial, result: Result) -> bool:
    return told.state == _STATES[result.state] and told.value == result.value


def _too_late(study: Study, result: Result) -> bool:
    """Keep a value that nobody asked for any more; always False."""
    if result.value is None:
        logger.warning("lease lost: trial %d failed here, which does not count", result.number)
    elif study.store.late.keep(result.token, study.name, result.number, result.to_json()):
        logger.warning(
            "lease lost: the value %.4f of trial %d came too late; it is kept, see `hpsearch late-results %s`",
            result.value, result.number, study.name,
        )  # fmt: skip
    return False
