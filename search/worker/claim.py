"""What to train next: decided by one worker at a time, under the study's lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import optuna
from optuna.trial import TrialState

from search.distributions import distributions
from search.training.seeds import derived_seed
from search.worker.closing import cancel, end_waiting
from search.worker.proposal import propose
from search.worker.scene import Scene
from search.worker.standing import has_others
from storage.failpoints import passing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.study import Study
    from search.trial import TrialRecord
    from storage.holding import Holding

MAX_LOST = 10
"""A trial that has lost so many workers is not tried again. Many, because trials are trained in processes of their own:
a worker that goes is hardly ever a trial's doing, and a search must not lose points to it. The bound is for those
that take the whole machine down."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who claims."""

    worker: str
    lease: float = 60.0
    """Seconds; a worker that has not renewed its lease for so long has lost its trial."""
    avoided: frozenset[tuple[str, int]] = frozenset()
    """Study and number of trials that failed here; where nobody has tried one since, it is left to other workers."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A trial that this worker alone may train, until its lease runs out."""

    number: int
    token: str
    worker: str
    attempt: int
    params: dict[str, Any]
    hyperparameters: dict[str, Any]
    seed: int
    name: str | None
    resume: bool
    """Whether to continue from the trial's checkpoint."""
    micro_batch: int | None = None
    """Images that a step takes at once; None for the whole batch."""


Nothing = Literal["wait", "late", "done"]
"""`wait`: other workers' results may make work. `late`: there is work, but none that fits into the
time left. `done`: the study needs no more workers."""


def claim(study: Study, holder: Holder) -> Claim | Nothing:
    """Take the next trial of a study.

    In this order: a trial that was given back or lost its worker; a paused one that has earned more training and
    promises more for its seconds than a new one; a paused one that is worth a bet, or a new one, whichever promises
    more, and of the new ones those in the queue before those that are proposed; at last, where nothing new may begin
    or fits into the time left, the best paused one at each rung. The budget of trials is exact over all workers,
    because everything happens under one lock.
    """
    with study.deciding():
        if not study.exists():
            return "wait"  # it was deleted, and there may be another of its name: the next look finds that
        if study.store.ledger.reap(study.name):
            passing("reaped")
        give_up_exhausted(study)
        if study.state() != "open":
            return "done"
        scene = Scene(study, study.trials())
        found = (
            _given_back(scene, holder)
            or _promoted(scene, holder, scene.earned())
            or _promoted(scene, holder, scene.bet())
            or _queued(scene, holder)
            or _proposed(scene, holder)
            or _promoted(scene, holder, scene.last_call())
        )
        if found:
            return found
        if any(trial.state == "running" for trial in scene.trials):
            return "wait"
        return "late" if scene.is_late else "done"


def give_up_exhausted(study: Study) -> None:
    """End the trials that have lost their worker too often; the caller holds the study's lock.

    Looked for anew each time, and not only where a lease was just reaped: whoever reaped may have died.
    """
    for holding in study.store.ledger.exhausted(MAX_LOST, study.name):
        why = f"{holding.attempt} workers were lost while they trained this trial; it is not tried again."
        end_waiting(study, study.trials()[holding.number], "lost", why)


def _given_back(scene: Scene, holder: Holder) -> Claim | None:
    study, trials = scene.study, scene.trials
    for trial in trials:
        if trial.state == "running" and trial.attempts == 0:
            if (other := _same_as(trial, trials)) is not None:
                cancel(study, trial.number, f"Trial {other} is the same: the store's first answer was lost on its way.")
                continue
            # Its worker died between creating it and taking its lease.
            return _begun(scene, holder, trial.number, trial.params, trial.name)
    for holding in study.store.ledger.holdings(study.name, states=("released",)):
        if _is_left_to_others(study, holder, holding):
            continue
        trial = trials[holding.number]
        if trial.has_ended:
            # Its worker died after its result was recorded and before it let go.
            study.store.ledger.drop(study.name, trial.number)
        elif trial.state != "paused":
            continue  # given back since the trials were read: the next look finds it as it is
        elif scene.fits(trial.params, trial.images) and (found := _resumed(scene, holder, trial)):
            return found
    return None


def _same_as(trial: TrialRecord, trials: Sequence[TrialRecord]) -> int | None:
    """The trial that was begun instead of one: Optuna creates it again where it does not hear that it was created."""
    same = (other.number for other in trials if other.attempts and other.params == trial.params)
    return next(same, None)


def _is_left_to_others(study: Study, holder: Holder, holding: Holding) -> bool:
    """Whether a trial failed here and somebody else may take it.

    Only where it failed here last: two on which it fails would leave it to each other for ever.
    """
    is_avoided = (study.name, holding.number) in holder.avoided and holding.worker == holder.worker
    return is_avoided and has_others(study, holder.worker, holding.changed_at)


def _promoted(scene: Scene, holder: Holder, number: int | None) -> Claim | None:
    if number is None:
        return None
    trial = scene.trials[number]
    return _resumed(scene, holder, trial) if scene.fits(trial.params, trial.images) else None


def _queued(scene: Scene, holder: Holder) -> Claim | None:
    if not scene.may_begin():
        return None
    study = scene.study
    for trial in sorted(scene.trials, key=lambda trial: not trial.comes_next):
        if trial.state == "waiting" and scene.fits(trial.params):
            trial_id = study.trial_id(trial.number)
            if study.store.optuna.set_trial_state_values(trial_id, TrialState.RUNNING):
                return _begun(scene, holder, trial.number, trial.params, trial.name)
    return None


def _proposed(scene: Scene, holder: Holder) -> Claim | None:
    if not scene.may_begin():
        return None
    study = scene.study
    values = propose(study.space, scene.trials, study.seed)
    if values is None or not scene.fits(values):
        return None
    trial_id = study.store.optuna.create_new_trial(
        study.id,
        optuna.trial.create_trial(
            state=TrialState.RUNNING, params=values, distributions=distributions(study.space, values)
        ),
    )
    return _begun(scene, holder, study.store.optuna.get_trial_number_from_id(trial_id), values, None)


def _begun(scene: Scene, holder: Holder, number: int, params: dict[str, Any], name: str | None) -> Claim:
    study = scene.study
    passing("created")
    token = study.store.ledger.take(study.name, number, holder.worker, holder.lease)
    passing("leased")
    return Claim(
        number=number,
        token=token,
        worker=holder.worker,
        attempt=1,
        params=params,
        hyperparameters=study.space.complete(params),
        seed=_noted_seed(study, number),
        name=name,
        resume=False,
    )


def _noted_seed(study: Study, number: int) -> int:
    seed = derived_seed(study.seed, number)
    study.note(number, "seed", seed)
    return seed


def _resumed(scene: Scene, holder: Holder, trial: TrialRecord) -> Claim | None:
    study = scene.study
    holding = study.store.ledger.resume(study.name, trial.number, holder.worker, holder.lease)
    if holding is None or holding.token is None:
        return None
    return Claim(
        number=trial.number,
        token=holding.token,
        worker=holder.worker,
        attempt=holding.attempt,
        params=trial.params,
        hyperparameters=study.space.complete(trial.params),
        seed=trial.seed or _noted_seed(study, trial.number),  # its first worker may have died before it noted one
        name=trial.name,
        resume=True,
        micro_batch=trial.micro_batch,
    )
