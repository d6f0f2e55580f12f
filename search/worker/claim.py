"""What to train next: decided by one worker at a time, under the study's lock."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import optuna
from optuna.trial import TrialState

from search.distributions import distributions
from search.training.messages import PARTIAL
from search.trial import Outcome, TrialRecord
from search.worker import rungs
from search.worker.forecast import fits
from search.worker.proposal import derive_seed, propose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.study import Study
    from spaces.space import Space

MAX_ATTEMPTS = 3
"""A trial whose worker was lost so often is not tried again."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who claims."""

    worker: str
    lease: float = 60.0
    """Seconds; a worker that has not renewed its lease for so long has lost its trial."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A trial that this worker alone may train, until its lease runs out."""

    number: int
    token: str
    attempt: int
    params: dict[str, Any]
    hyperparameters: dict[str, Any]
    seed: int
    name: str | None
    resume: bool
    """Whether to continue from the trial's checkpoint."""


Nothing = Literal["wait", "late", "done"]
"""`wait`: other workers' results may make work. `late`: there is work, but none that fits into the
time left. `done`: the study needs no more workers."""


def claim(study: Study, holder: Holder) -> Claim | Nothing:
    """Take the next trial of a study.

    In this order: a trial that was given back or lost its worker, a paused one that has earned
    more training, a queued one, a newly proposed one; at last, where nothing new may begin, the
    best paused one at each rung. The budget of trials is exact over all
    workers, because everything happens under one lock.
    """
    with study.store.lock(f"claim {study.name}"):
        _reap(study)
        if study.state() != "open":
            return "done"
        scene = Scene(study, study.trials(), holder)
        found = (
            _given_back(scene)
            or _promoted(scene, is_last_call=False)
            or _queued(scene)
            or _proposed(scene)
            or _promoted(scene, is_last_call=True)
        )
        if found:
            return found
        if any(trial.state == "running" for trial in scene.trials):
            return "wait"
        return "late" if scene.is_late else "done"


class Scene:
    """What a claim is decided on: the study at one moment, and who asks."""

    def __init__(self, study: Study, trials: Sequence[TrialRecord], holder: Holder) -> None:
        """Look at the clock once."""
        control = study.control()
        self.study = study
        self.trials = trials
        self.holder = holder
        self.ladder = ladder(study.space, study.data.n_train)
        self.is_late = False
        """Whether something was left alone because it does not fit into the time left."""
        self._seconds_left = None if control.deadline is None else control.deadline - study.store.now()
        self._budget = control.trials

    def fits(self, params: Mapping[str, Any], images: int = 0) -> bool:
        """Whether a point that has seen `images` images can still get a score; remembers if one cannot."""
        needed = rungs.next_judgement(images, self.ladder, self.study.data.n_train) - images
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

    def promotable(self, *, is_last_call: bool) -> int | None:
        """The paused trial that should go on; see `rungs.promotable`."""
        space = self.study.space
        factor = space.pruner.reduction_factor
        return rungs.promotable(standings(self.trials, space), self.ladder, factor, is_last_call=is_last_call)


def standings(trials: Sequence[TrialRecord], space: Space) -> list[rungs.Standing]:
    """The trials as the rungs see them; queued ones and those lost for outside causes are left out."""
    sign = 1.0 if space.objective.direction == "maximize" else -1.0
    metric = space.objective.metric
    return [
        rungs.Standing(
            number=trial.number,
            scores=tuple(
                rungs.Score(images=int(entry["images"]), value=sign * entry[metric], is_partial=PARTIAL in entry)
                for entry in trial.curve
                if metric in entry
            ),
            is_paused=trial.state == "paused",
            has_ended=trial.state in ("complete", "pruned"),
            is_dead=trial.state == "failed",
        )
        for trial in trials
        if trial.state != "waiting" and not _says_nothing(trial)
    ]


def ladder(space: Space, n_train: int) -> tuple[int, ...]:
    """The images seen at which trials of this space pause; empty unless its pruner is `asha`.

    `n_train` is the number of training images.
    """
    pruner = space.pruner
    if pruner.name != "asha":
        return ()
    return rungs.rungs(pruner.min_images, n_train, space.budget.epochs, pruner.reduction_factor)


def _reap(study: Study) -> None:
    for holding in study.store.ledger.reap(study.name):
        if holding.attempt >= MAX_ATTEMPTS:
            _give_up(study, holding.number, holding.attempt)


def _give_up(study: Study, number: int, attempts: int) -> None:
    why = f"{attempts} workers were lost while they trained this trial; it is not tried again."
    study.note(number, "outcome", asdict(Outcome(reason="lost", why=why)))
    study.optuna.tell(number, state=TrialState.FAIL)
    study.store.ledger.drop(study.name, number)


def _given_back(scene: Scene) -> Claim | None:
    study, trials = scene.study, scene.trials
    for trial in trials:
        if trial.state == "running" and trial.attempts == 0:
            # Its worker died between creating it and taking its lease.
            return _begun(scene, trial.number, trial.params, trial.name)
    for holding in study.store.ledger.holdings(study.name, states=("released",)):
        trial = trials[holding.number]
        if trial.state != "paused":
            # Its worker died after its result was recorded and before it let go.
            study.store.ledger.drop(study.name, trial.number)
        elif scene.fits(trial.params, trial.images) and (found := _resumed(scene, trial)):
            return found
    return None


def _promoted(scene: Scene, *, is_last_call: bool) -> Claim | None:
    if is_last_call and (scene.may_begin() or any(trial.state == "running" for trial in scene.trials)):
        return None  # a result to come may still change who is the best
    number = scene.promotable(is_last_call=is_last_call)
    if number is None:
        return None
    trial = scene.trials[number]
    return _resumed(scene, trial) if scene.fits(trial.params, trial.images) else None


def _queued(scene: Scene) -> Claim | None:
    if not scene.may_begin():
        return None
    study = scene.study
    for trial in scene.trials:
        if trial.state == "waiting" and scene.fits(trial.params):
            trial_id = study.trial_id(trial.number)
            if study.store.optuna.set_trial_state_values(trial_id, TrialState.RUNNING):
                return _begun(scene, trial.number, trial.params, trial.name)
    return None


def _proposed(scene: Scene) -> Claim | None:
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
    return _begun(scene, study.store.optuna.get_trial_number_from_id(trial_id), values, None)


def _begun(scene: Scene, number: int, params: dict[str, Any], name: str | None) -> Claim:
    study, holder = scene.study, scene.holder
    token = study.store.ledger.take(study.name, number, holder.worker, holder.lease)
    seed = derive_seed(study.seed, number)
    study.note(number, "seed", seed)
    return Claim(
        number=number,
        token=token,
        attempt=1,
        params=params,
        hyperparameters=study.space.complete(params),
        seed=seed,
        name=name,
        resume=False,
    )


def _resumed(scene: Scene, trial: TrialRecord) -> Claim | None:
    study, holder = scene.study, scene.holder
    holding = study.store.ledger.resume(study.name, trial.number, holder.worker, holder.lease)
    if holding is None or holding.token is None:
        return None
    return Claim(
        number=trial.number,
        token=holding.token,
        attempt=holding.attempt,
        params=trial.params,
        hyperparameters=study.space.complete(trial.params),
        seed=trial.seed,
        name=trial.name,
        resume=True,
    )


def _says_nothing(trial: TrialRecord) -> bool:
    """Whether a trial failed for a cause that its parameters have no part in."""
    reasons = ("lost", "cancelled", "bad_data", "crashed", "stalled")
    return trial.state == "failed" and trial.outcome is not None and trial.outcome.reason in reasons
