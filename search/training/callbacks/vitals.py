"""Watch the signs of life while a trial is trained, and end one that is dead."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from search.training.callbacks.base import TrialCallback
from search.training.errors import CollapsedError, DivergedError, HopelessError
from search.training.models import is_normalised
from search.training.vitals.curve import examine_curve
from search.training.vitals.diagnosis import Diagnosis
from search.training.vitals.examination import Examination
from search.training.vitals.guessing import Guessing
from search.training.vitals.signs import Signs
from search.training.vitals.stories import Facts, is_noteworthy, tell

if TYPE_CHECKING:
    from search.training.data.dataset import Dataset
    from search.training.session import Session
    from search.training.state import TrialState

_DIGITS = 4


class Vitals(TrialCallback):
    """Reads the signs of the step that has just ended, and fails a trial that is hopeless.

    Stands before `Finite`, which knows less of a loss that is not finite.
    """

    def __init__(self, session: Session, dataset: Dataset) -> None:
        """Go on where the checkpoint left off, or begin."""
        super().__init__(session)
        self.facts = _facts(session)
        self.guessing = guessing_of(dataset)
        self.diagnosis = Diagnosis(**session.state.diagnosis) if session.state.diagnosis else None
        """As of the last look."""
        self.steps = session.state.steps
        """Of the trial so far."""
        self._examination = Examination.from_dict(
            session.state.vitals,
            self.guessing.loss,
            is_normalised=self.facts.is_normalised,
            batch_size=session.hp.batch_size,
        )
        # Where images are taken one at a time nobody looks, and what was seen before holds no more.
        at_once = session.command.micro_batch or session.hp.batch_size
        session.condition = self._examination.condition if min(at_once, session.hp.batch_size) > 1 else None

    def step_ended(self, step: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Look, keep what was seen, and judge."""
        self.steps += 1
        if self.steps < self._examination.next_step and math.isfinite(logs["loss"]):
            return
        seen = self.session.model.signs()
        if seen is None:
            return
        signs = Signs.from_dict({**seen, "step": self.steps})
        self.diagnosis = self._examination.look(signs)
        self.session.condition = self.diagnosis.condition
        values = {name: float(f"{value:.{_DIGITS}g}") for name, value in signs.to_dict().items()}
        if all(math.isfinite(value) for value in values.values()):
            self.session.vitals.append({**values, "step": self.steps})
        if self.diagnosis.is_hopeless:
            raise self._error(self.diagnosis)

    def note(self, state: TrialState) -> None:
        """Put what a checkpoint needs of it into `state`."""
        state.steps, state.vitals = self.steps, self._examination.to_dict()
        state.diagnosis = asdict(self.diagnosis) if self.diagnosis is not None else {}

    def _error(self, diagnosis: Diagnosis) -> HopelessError:
        kind = CollapsedError if diagnosis.condition == "collapsed" else DivergedError
        return kind(tell(diagnosis, self.facts))


class Story(TrialCallback):
    """Puts the diagnosis into the report of a judgement and the trial's state.

    Stands between `Best`, which has put the judgement on the curve, and `Checkpoint`.
    """

    def __init__(self, session: Session, vitals: Vitals) -> None:
        """Tell what `vitals` has seen."""
        super().__init__(session)
        self._vitals = vitals

    def stretch_ended(self, metrics: dict[str, float]) -> None:  # noqa: ARG002
        """The curve knows more of a network that learns than one step does."""
        session, vitals = self.session, self._vitals
        diagnosis = vitals.diagnosis
        if diagnosis is None or not is_noteworthy(diagnosis) or session.condition == "learning":
            # Ends of epochs only: what a rung shows is of fewer images, and comes more often.
            epochs = [entry for entry in session.state.curve if float(entry["epoch"]).is_integer()]
            shown = examine_curve(epochs, vitals.guessing.accuracy)
            # Whoever ends while it recovers should not end without a word.
            diagnosis = diagnosis if shown is None and diagnosis and diagnosis.condition == "recovering" else shown
        vitals.note(session.state)
        session.state.signs = []
        session.story = tell(diagnosis, vitals.facts) if diagnosis is not None else ""


def guessing_of(dataset: Dataset) -> Guessing:
    """What guessing is worth on these data."""
    return Guessing.of(np.bincount(dataset.labels[dataset.train]).tolist())


def _facts(session: Session) -> Facts:
    hp, model = session.hp, session.model
    return Facts(
        architecture=hp.architecture,
        n_layers=sum(len(variable.shape) > 1 for variable in model.trainable_variables),
        is_normalised=is_normalised(model),
        learning_rate=hp.learning_rate,
        optimizer=hp.optimizer,
        schedule=hp.schedule,
    )
