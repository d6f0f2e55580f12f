"""A study: one space searched on one data set, kept in one store."""

from __future__ import annotations

import json
import secrets
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import optuna
from optuna.trial import TrialState

from search.codec import OWN, data_of, own, readable, record_of
from search.distributions import distributions
from search.errors import StudyNotFoundError, UsageError
from search.texts import clean
from search.training.messages import DataLoaded, LoadData
from search.trial import TrialRecord, best_of, leader_of
from spaces.errors import shown
from spaces.fields import NAME_RULE, is_name
from spaces.space import Space
from storage.optuna_rows import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from spaces.space import Point
    from storage.store import Store

optuna.logging.set_verbosity(optuna.logging.ERROR)

MAX_NOTE = 1 << 16
"""Characters of JSON: everybody who looks at a study reads all of its trials."""
_MEASURED = ("curve", "vitals")
_DECIDING = ("curve", "story", "seed", "micro_batch", "seconds", "outcome", "comes_next")
"""Of what is kept of a trial, the part that is read with all of them."""

StudyState = Literal["open", "out_of_time", "stopping", "stopped", "finished"]


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a study is allowed to do from now on; anybody may change it while workers run."""

    trials: int | None
    """Trials that may be begun in all; None for no bound."""
    deadline: float | None
    """Database clock, seconds since the epoch, at which running trials end; None for never."""
    ending: Literal["stopping", "stopped", "finished"] | None = None
    """`stopping`: somebody asked for the end. `stopped`, `finished`: nothing is left to do."""
    margin: float = 0.0
    """Seconds from the deadline to the end that was announced: for last validations and records."""


class Study:
    """A handle on one study of a store. Reads always ask the store; nothing is remembered."""

    def __init__(self, store: Store, name: str) -> None:
        """Open a study.

        Raises:
            StudyNotFoundError: if the store has none of that name; the message lists those it has.
            UnreadableStudyError: if what it has cannot be read.
        """
        self.store = store
        self.name = name
        try:
            self.id = store.optuna.get_study_id_from_name(name)
        except KeyError:
            have = clean(", ".join(names(store))) or "none yet: `hpsearch start` creates one"
            raise StudyNotFoundError(f"there is no study {name!r} in {store.url.masked}; it has: {have}") from None
        attributes = own(store.optuna.get_study_system_attrs(self.id))
        if "space" not in attributes:
            raise StudyNotFoundError(f"study {name!r} was not made by hpsearch: it has no space")
        self.uid = str(attributes.get("uid", ""))
        """Its own, where a name and the store's key may come again after it was deleted."""
        with readable(name):
            self.space = Space.from_json(attributes["space"])
            self.data = data_of(attributes["data"])
            self.seed = int(attributes["seed"])
        self._trials = store.trials(self.id, user=("name",), system=[OWN + key for key in _DECIDING])
        self.optuna = optuna.load_study(
            study_name=name, storage=store.for_reading(), sampler=optuna.samplers.RandomSampler(seed=self.seed)
        )

    @property
    def maximizes(self) -> bool:
        """Whether a larger value is better."""
        return self.space.objective.direction == "maximize"

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is strictly better than `other`."""
        return one > other if self.maximizes else one < other

    def control(self) -> Control:
        """What the study may do, as last set."""
        attributes = own(self.store.optuna.get_study_system_attrs(self.id))
        with readable(self.name):
            return Control(**attributes["control"])

    def deciding(self) -> AbstractContextManager[None]:
        """Hold the lock under which is decided who trains what, and what the study may do."""
        return self.store.lock(f"claim {self.name}")

    def set_control(self, control: Control) -> None:
        """Change what the study may do; workers see it within seconds. What depends on the old one holds `deciding`."""
        self.store.optuna.set_study_system_attr(self.id, OWN + "control", asdict(control))

    def state(self) -> StudyState:
        """Open, or why it is not."""
        control = self.control()
        if control.ending:
            return control.ending
        if control.deadline is not None and self.store.now() >= control.deadline:
            return "out_of_time"
        return "open"

    def exists(self) -> bool:
        """Whether the store still has it, and no other of its name: anybody may delete a study while workers run."""
        try:
            found = own(self.store.optuna.get_study_system_attrs(self.id)).get("uid", "")
        except KeyError:
            return False
        return bool(found == self.uid)

    def folder(self, number: int, token: str | None = None) -> Path:
        """Where a trial, or the attempt at it with this lease token, has its files; no other study's are there."""
        name = f"{self.name}-{self.uid}" if self.uid else self.name
        return self.store.files.trial(name, number, token)

    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials, by number; see `vitals` for what is not among them."""
        metric = self.space.objective.metric
        stored = self._trials.all()
        with readable(self.name):
            return tuple(record_of(one, metric, maximize=self.maximizes) for one in stored)

    def vitals(self, number: int) -> tuple[dict[str, float], ...]:
        """A trial's signs of life, thinned out, one mapping a step; see `search.training.vitals.signs`."""
        return tuple(own(self.store.optuna.get_trial_system_attrs(self.trial_id(number))).get("vitals", ()))

    def best(self) -> TrialRecord | None:
        """The trial with the best value among those that have ended or are paused, or None.

        Pruned and paused trials count: their value is their best judgement's, and its weights are kept.
        """
        return best_of(self.trials(), maximize=self.maximizes)

    def leader(self) -> TrialRecord | None:
        """The trial with the best value of all, or None: as `best`, but it may be one that is trained right now."""
        return leader_of(self.trials(), maximize=self.maximizes)

    def enqueue(self, point: Point, *, comes_next: bool = False) -> int:
        """Add a point that is tried before anything is sampled; returns the trial's number.

        Args:
            point: values of all its parameters.
            comes_next: whether it goes before those that were there when the study was created.
        """
        values = dict(point.values)
        trial_id = self.store.optuna.create_new_trial(
            self.id,
            optuna.trial.create_trial(
                state=TrialState.WAITING,
                params=values,
                distributions=distributions(self.space, values),
                user_attrs={"name": point.name} if point.name else {},
                system_attrs={OWN + "comes_next": True} if comes_next else {},
            ),
        )
        return self.store.optuna.get_trial_number_from_id(trial_id)

    def record(self, token: str, notes: Mapping[str, Any], steps: Mapping[int, float], value: float | None) -> bool:
        """Write what a trial has come to, in one transaction; False if it is not that token's any more.

        Args:
            token: of the attempt that trains the trial, or has decided how it ended.
            notes: `curve`, `vitals` and the like, as in `note`.
            steps: new scores for Optuna's pruners and plots, by images seen.
            value: the trial's value so far.
        """
        attributes = {OWN + key: note for key, note in notes.items()}
        return self.store.records.write(token, Progress(attributes=attributes, steps=steps, value=value))

    def note(self, number: int, key: str, value: Any) -> None:
        """Keep something of our own about a trial: `curve`, `story`, `outcome`, `seed` and the like.

        Not as a user attribute: the dashboard shows those, each in one line.

        Raises:
            ValueError: for more than 64 KiB, unless it is a curve or vital signs, which are our own numbers.
        """
        size = 0 if key in _MEASURED else len(json.dumps(value))
        if size > MAX_NOTE:
            raise ValueError(
                f"what is kept of a trial must have at most {MAX_NOTE:,} characters, but {key} has {size:,}"
            )
        self.store.optuna.set_trial_system_attr(self.trial_id(number), OWN + key, value)

    def trial_id(self, number: int) -> int:
        """The store's own key of a trial; raises KeyError where there is no such trial."""
        return self.store.optuna.get_trial_id_from_study_id_trial_number(self.id, number)


def names(store: Store) -> list[str]:
    """The names of all studies in the store, oldest first."""
    return [study.study_name for study in store.optuna.get_all_studies()]


def create(store: Store, name: str, space: Space, data: DataLoaded, seed: int) -> Study:
    """Create a study and queue its first points: each architecture's defaults, then `try_first`.

    Raises:
        UsageError: for a name that is none.
        SpaceError: for a space that could not be read again. Then nothing has been written.
    """
    if not is_name(name):
        raise UsageError(f"the name of a study {NAME_RULE}; but got {shown(name)}")
    Space.from_json(space.to_json())
    store.late.forget(name)
    store.ledger.forget(name)  # of one of the same name that was deleted
    direction = getattr(optuna.study.StudyDirection, space.objective.direction.upper())
    study_id = store.optuna.create_new_study([direction], name)
    for key, value in (
        ("uid", secrets.token_hex(4)),
        ("seed", seed),
        ("data", asdict(data)),
        ("control", asdict(Control(trials=space.budget.trials, deadline=None))),
        ("space", space.to_json()),  # last: a study with a space is whole
    ):
        store.optuna.set_study_system_attr(study_id, OWN + key, value)
    for key, value in (("data", data.source), ("fingerprint", data.fingerprint), ("space", space.hash)):
        store.optuna.set_study_user_attr(study_id, key, value)
    study = Study(store, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.optuna.set_metric_names([space.objective.metric])  # on the dashboard's axes
    for point in (*space.default_points(), *space.try_first):
        study.enqueue(point)
    return study


def load_command(study: Study, source: str | None = None) -> LoadData:
    """What makes a trainer load the study's data, cut as the study cuts it.

    Args:
        study: whose data.
        source: where this machine has them, if not where the study says.
    """
    part = study.space.data
    return LoadData(
        source=source or part.source, validation=part.validation, train_limit=part.train_limit, seed=part.seed
    )
