"""The vital signs of a training: a few numbers that the training step has at hand anyway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What one training step shows. All are plain numbers; NaN or infinite where training left the finite ones."""

    step: int
    """From 1, over the whole trial."""
    loss: float
    """Of this step's batch alone, without label smoothing; ln(classes) is what guessing gives."""
    spread: float
    """How much the answers differ between images: the standard deviation of each class' logit over
    the batch, mean over classes. Near 0 the network gives every image the same answer.
    """
    gradient_first: float
    """L2 norm of the gradient of the first trainable kernel: whether a lesson gets through to the bottom."""
    gradient_last: float
    """The same of the last one, which makes the logits."""
    update_ratio: float
    """‖Δw‖ / ‖w‖ of the first trainable kernel in this step. About 1e-3 is usual."""
    dead_units: float
    """Share of the backbone's output features, of 0 to 1, that are 0 for the whole batch."""

    def to_dict(self) -> dict[str, float]:
        """As a plain mapping, as it stands in `show` under `vitals`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The signs that `to_dict` gave; other names in the mapping are left alone.

        Raises:
            KeyError: if a sign is missing.
        """
        return cls(
            step=int(values["step"]),
            loss=float(values["loss"]),
            spread=float(values["spread"]),
            gradient_first=float(values["gradient_first"]),
            gradient_last=float(values["gradient_last"]),
            update_ratio=float(values["update_ratio"]),
            dead_units=float(values["dead_units"]),
        )
