"""Train one trial, from its hyperparameters to the weights of its best epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.training import files
from search.training.batch_norm import HonestAverages
from search.training.callbacks import trial_callbacks
from search.training.checkpoints import load_checkpoint
from search.training.course import Course
from search.training.feed import TrainingFeed
from search.training.hyperparameters import Hyperparameters
from search.training.session import Session
from search.training.state import TrialIdentity

if TYPE_CHECKING:
    from search.training.channel import Channel
    from search.training.data.dataset import Dataset
    from search.training.messages import Train, TrialEnded
    from search.training.stopwatch import Stopwatch
    from search.training.structures.kept import Structures


def train(
    command: Train, dataset: Dataset, channel: Channel, stopwatch: Stopwatch, structures: Structures
) -> TrialEnded:
    """Train the trial that `command` asks for, and say how it ended.

    What `structures` keeps of earlier trials is used where it fits.

    The same command on the same machine with the same number of threads gives the same curve,
    whatever was trained before in this process.

    Raises:
        DivergedError: if the loss left the finite numbers.
        CollapsedError: if the network is dead.
        MetricError: if the objective's metric does not exist, at the first judgement.
        EOFError: if the worker is gone.
        Exception: whatever the network's builder or Keras raise.
    """
    hp = Hyperparameters.from_dict(command.hyperparameters)
    model = structures.network(hp, dataset.image_shape, len(dataset.classes), command.builders)
    course = Course(n_images=len(dataset.train), batch_size=hp.batch_size, epochs=hp.epochs, judge_at=command.judge_at)
    model.begin(hp, command.seed, command.micro_batch, course.steps)
    identity = TrialIdentity.of(command, dataset.fingerprint)
    session = Session(command, hp, identity, channel, stopwatch, model, course)
    session.folder.mkdir(parents=True, exist_ok=True)
    _begin(session)
    if session.ending is None:
        _fit(session, dataset)
    else:
        structures.forget()  # traced, but not derived: it can be so only as long as nothing is forgotten
    if session.failure is not None:
        raise session.failure
    return session.ended(session.ending or "finished")


def _begin(session: Session) -> None:
    """Continue from the checkpoint, if the command says so and there is one."""
    command = session.command
    found = load_checkpoint(Path(command.folder), session.identity, session.model) if command.resume else None
    if found is not None:
        session.state, session.vitals = found, list(found.signs)
        session.stopwatch.add(found.seconds)
        session.ending = session.outcome
    files.remove_beyond(session.folder, session.state.position)
    session.announce()


def _fit(session: Session, dataset: Dataset) -> None:
    hp, model, seed = session.hp, session.model, session.command.seed
    feed = TrainingFeed(
        dataset.images, dataset.labels, dataset.train, batch_size=hp.batch_size, seed=seed, augment=hp.augment
    )
    averages = None
    if hp.batch_norm == "honest":
        averages = HonestAverages(model, model.forward_training, dataset.images, dataset.train, seed=seed)
    callbacks = trial_callbacks(session, dataset, feed, averages, model.forward)
    state = session.state
    session.ahead = list(session.course.stretches(state.position, is_judged=state.position == state.images))
    model.fit(feed, epochs=len(session.ahead), callbacks=callbacks)
