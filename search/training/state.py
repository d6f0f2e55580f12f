"""What a trial knows of itself, next to its weights: kept in each checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from search.training.messages import Seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search.training.messages import Train


@dataclass(kw_only=True)
class TrialState:
    """Progress of one trial; plain data that goes to JSON and back unchanged."""

    images: int = 0
    """Images trained on, each epoch's counted anew, up to the last judgement."""
    position: int = 0
    """The same, up to the last step that the weights have made: more than `images` between two judgements."""
    means: list[float] = field(default_factory=list)
    """What the training means of the stretch under way are made of, see `TrialNetwork.means`; empty at a judgement."""
    epoch: int = 0
    """Whole epochs done."""
    best_images: int = 0
    """Images at the best judgement; 0 before the first one."""
    best_value: float | None = None
    best_metrics: dict[str, float] = field(default_factory=dict)
    best_at_end: float | None = None
    """The best value at the end of an epoch."""
    epochs_without_gain: int = 0
    """Epochs since the one with `best_at_end`; early stopping compares it with the patience."""
    stalled_epochs: int = 0
    """Epochs since that one or since the learning rate was last halved, whichever is later."""
    curve: list[dict[str, float]] = field(default_factory=list)
    """The metrics of each judgement, in order, with its `epoch` and `images`."""
    steps: int = 0
    """Training steps done."""
    vitals: dict[str, Any] = field(default_factory=dict)
    """What the examination of the signs of life remembers; empty before the first judgement."""
    diagnosis: dict[str, Any] = field(default_factory=dict)
    """What it said last, see `vitals.diagnosis.Diagnosis`; empty before the first look."""
    signs: list[dict[str, float]] = field(default_factory=list)
    """The signs of life that no judgement has reported yet; empty at one."""
    seconds: Seconds = field(default_factory=Seconds)

    def to_json(self) -> dict[str, Any]:
        """As a mapping that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The state that `to_json` gave."""
        return cls(**{**values, "seconds": Seconds(**values["seconds"])})


@dataclass(frozen=True, kw_only=True)
class TrialIdentity:
    """What must be equal for a checkpoint to continue a trial: the same curve would come out."""

    hyperparameters: dict[str, Any]
    seed: int
    metric: str
    direction: str
    fingerprint: str
    """Of the data."""

    @classmethod
    def of(cls, command: Train, fingerprint: str) -> Self:
        """The identity of the trial that `command` asks for, on data with this fingerprint."""
        return cls(
            hyperparameters=dict(command.hyperparameters),
            seed=command.seed,
            metric=command.metric,
            direction=command.direction,
            fingerprint=fingerprint,
        )
