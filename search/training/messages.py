"""What worker and trainer say to each other; `search.training.encoding` makes lines of it.

The worker sends *commands*, the trainer answers with *events*. Neither Keras nor NumPy is
needed to speak: this module is imported on both sides of the pipe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["continue", "stop", "pause"]
"""`stop`: end the trial here, what it reached counts. `pause`: end here, to be continued later."""

PARTIAL = "val_images"
"""Metric of a judgement on a part of the validation images: how many they were."""

Ending = Literal["finished", "early_stopped", "stopped", "paused"]

FailureReason = Literal["collapsed", "diverged", "out_of_memory", "crashed", "bad_data"]


# --- commands: worker to trainer ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LoadData:
    """Load a data source and cut its validation part; answered by `DataLoaded` or `Failed`."""

    source: str
    """As in a space file: `mnist-5k`, `emnist-balanced`, `idx:FOLDER`, …"""
    validation: float
    """Share of the training part that is cut off for validation, in (0, 1); not used where the source
    brings a validation part.
    """
    train_limit: int | None
    """Training images at most (stratified), after the validation part is cut; None for all."""
    seed: int
    """Decides which images go to validation."""


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train one trial; answered by `TrialStarted`, `Progress` and `EpochEnded` (each awaits a
    `Verdict`), and in the end `TrialEnded` or `Failed`.
    """

    trial: int
    hyperparameters: dict[str, Any]
    seed: int
    metric: str
    """Name of the metric that counts, such as `val_accuracy`."""
    direction: Literal["maximize", "minimize"]
    folder: str
    """The trial's own folder: checkpoint, best weights and confusion counts are written there."""
    resume: bool
    """Continue from the checkpoint in `folder`; without one there, start over."""
    builders: str | None
    """Folder that a user's own architectures may be loaded from; None forbids them."""
    judge_at: tuple[int, ...] = ()
    """Images trained on, ascending, at which to judge besides the ends of the epochs: after the
    step that reaches them.
    """
    micro_batch: int | None = None
    """Images that a step takes at once, where a whole batch needs more memory than there is; their
    gradients are added up. None for the whole batch.
    """
    checkpoint_seconds: float | None = None
    """Write a checkpoint also between judgements, when the last one is so many seconds old; None for never."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to an `EpochEnded`: each one awaits it, also the one that follows an `Interrupt`."""

    action: Action


@dataclass(frozen=True, kw_only=True)
class Interrupt:
    """Sent at any time while a trial runs: end it within a step, not within an epoch.

    `stop` validates what there is, which counts, reported by an `EpochEnded` like any other
    judgement; `pause` leaves a checkpoint of the step that has just ended, so that none is repeated.
    Between trials it means nothing and is not answered.
    """

    action: Literal["stop", "pause"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Build the networks of `hyperparameters`, train none; answered by `Measured` or `Failed`."""

    hyperparameters: list[dict[str, Any]]
    image_shape: tuple[int, int, int]
    """Height, width, channels of the data."""
    classes: int
    builders: str | None


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write `model.keras` of a network for the loaded data, and prove it; answered by `Exported`."""

    hyperparameters: dict[str, Any]
    weights: str
    """The trial's best weights, as `TrialEnded.weights` named them."""
    folder: str
    builders: str | None


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure an exported model on a part of the loaded data; answered by `Evaluated`."""

    folder: str
    split: Literal["train", "validation", "test"]
    builders: str | None


@dataclass(frozen=True, kw_only=True)
class Quit:
    """End the trainer; it exits with status 0."""


# --- events: trainer to worker -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ready:
    """First event of a trainer: Keras is imported, threads are set."""

    pid: int
    versions: dict[str, str]
    """`keras`, `backend` (its name and version), `numpy`, `python`."""


@dataclass(frozen=True, kw_only=True)
class DataLoaded:
    """The data set in memory."""

    source: str
    fingerprint: str
    """sha256 (hex) over images, labels and split."""
    image_shape: tuple[int, int, int]
    classes: list[str]
    """Name of each class, in label order."""
    n_train: int
    n_validation: int
    n_test: int
    """0 where the source has no test part."""
    has_own_validation: bool = False
    """Whether the source brings its validation part; else it was cut from the training part."""


@dataclass(frozen=True, kw_only=True)
class TrialStarted:
    """The network is built (or its checkpoint restored)."""

    trial: int
    parameters: int
    """Trainable and other weights, in all."""
    epoch: float
    """Epochs already done: 0, or more for a continued trial."""
    curve: list[dict[str, float]] = field(default_factory=list)
    """The judgements of those epochs, in order, each with its `epoch` and `images`: a worker that was lost may have
    left fewer in the store.
    """


@dataclass(frozen=True, kw_only=True)
class Progress:
    """At most one a second; tells that the trainer lives, and how far it is."""

    trial: int
    epoch: int
    """The epoch that is under way, from 1."""
    step: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Where a trial's time went, in seconds so far, earlier attempts included."""

    setup: float = 0.0
    train: float = 0.0
    validate: float = 0.0
    checkpoint: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the four."""
        return self.setup + self.train + self.validate + self.checkpoint


@dataclass(frozen=True, kw_only=True)
class EpochEnded:
    """A judgement, at the end of an epoch or at a rung within one: the trial is validated and its
    checkpoint is on disk; the trainer waits.
    """

    trial: int
    epoch: float
    """Epochs done: whole at the end of one, else a fraction such as 0.17."""
    images: int
    """Images trained on so far."""
    metrics: dict[str, float]
    """`loss`, `accuracy`, `val_loss`, `val_accuracy`, `learning_rate`; finite, all of them. `loss`
    and `accuracy` are means since the last judgement. `val_images` where only a part of the
    validation images was used.
    """
    seconds: Seconds
    vitals: list[dict[str, float]] = field(default_factory=list)
    """Signs of life since the last judgement, each with its `step`."""
    story: str = ""
    """What the signs mean, in a sentence or two for a person; empty where there are none."""
    condition: str | None = None
    """The same in a word, see `search.training.vitals.diagnosis`; None where nobody has looked."""


@dataclass(frozen=True, kw_only=True)
class TrialEnded:
    """The trial is over, or paused; files it speaks of are complete on disk."""

    trial: int
    ending: Ending
    images: int
    """Images trained on, up to the last judgement."""
    epochs: float
    """The same in epochs."""
    best_epoch: float
    """Where it was best; 0 when the trial was paused before its first judgement."""
    best_value: float | None
    """None when the trial was paused before its first judgement."""
    best_metrics: dict[str, float]
    parameters: int
    seconds: Seconds
    weights: str
    """File of the best judgement's weights; empty where there is none."""
    confusion: str
    """File of the best judgement's confusion counts on the images it was validated on, `{"classes":
    [...], "cells": [[true, predicted, images], ...]}`, see `search.training.confusion`; empty where there is none.
    """
    stands_at: float = 0.0
    """Epochs trained, up to the last step: more than `epochs` where the trial was paused between two evaluations."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A command could not be carried out; the trainer is ready for the next one."""

    reason: FailureReason
    message: str
    """One sentence for a person: cause and cure."""
    details: str = ""
    """Traceback or other last lines, for the log and the trial."""
    seconds: Seconds = field(default_factory=Seconds)
    vitals: list[dict[str, float]] = field(default_factory=list)
    """Signs of life since the last judgement, each with its `step`, where they are why a trial failed."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Size of each network, in the order asked for."""

    parameters: list[int]
    memory: list[int]
    """Bytes for weights, gradients, optimizer state and one batch's activations, estimated."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The model is on disk, was loaded again, and predicts the same."""

    file: str
    sha256: str
    parameters: int
    largest_difference: float
    """Between probabilities before saving and after loading, over a batch."""


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The report of contract's `evaluate`, as a plain mapping."""

    report: dict[str, Any]


Command = LoadData | Train | Verdict | Interrupt | Measure | Export | Evaluate | Quit
Event = (
    Ready | DataLoaded | TrialStarted | Progress | EpochEnded | TrialEnded | Failed | Measured
    | Exported | Evaluated
)  # fmt: skip
