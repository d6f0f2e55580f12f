"""What happens around the training steps of a trial, one concern a module, in the order of `trial_callbacks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.training.callbacks.averaging import Averaging
from search.training.callbacks.best import Best
from search.training.callbacks.checkpoint import Checkpoint
from search.training.callbacks.early_stopping import EarlyStopping
from search.training.callbacks.finite import Finite
from search.training.callbacks.order import Order
from search.training.callbacks.progress import Progress
from search.training.callbacks.report import Report
from search.training.callbacks.schedule import Schedule
from search.training.callbacks.validation import Validation
from search.training.callbacks.vitals import Story, Vitals

if TYPE_CHECKING:
    from search.training.batch_norm import HonestAverages
    from search.training.callbacks.base import TrialCallback
    from search.training.data.dataset import Dataset
    from search.training.feed import TrainingFeed
    from search.training.session import Session
    from search.training.tensorflow_runtime import Forward


def trial_callbacks(
    session: Session,
    dataset: Dataset,
    feed: TrainingFeed,
    averages: HonestAverages | None,
    forward: Forward,
) -> list[TrialCallback]:
    """The callbacks of one trial; each finds what those before it have left in logs and session."""
    vitals = Vitals(session, dataset)
    validation = Validation(session, dataset, averages, forward)
    return [
        Order(session, feed),
        Averaging(session),
        vitals,
        Finite(session),
        Progress(session),
        validation,
        Best(session, dataset.classes, validation),
        Story(session, vitals),
        Schedule(session),
        EarlyStopping(session),
        Checkpoint(session, vitals),
        Report(session),
    ]
