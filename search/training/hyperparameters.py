"""The parameters of one trial, as the trainer takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """All that decides how one network is built and trained.

    Every field is given: defaults belong to the space file's grammar (`spaces.catalogue`), so
    that a trial is complete on paper. Fields that an architecture does not use are None.
    """

    architecture: str
    """A name in `keras.applications`, `LeNet5`, `ShortResNet`, or a user's `module:function`."""
    blocks: int | None = None
    """Convolution blocks of VGG16 and VGG19 (2 to 5); None for every other architecture."""
    stages: int | None = None
    """Stages of ShortResNet (1 to 4); None for every other architecture."""
    blocks_per_stage: int | None = None
    """Residual blocks in each stage of ShortResNet (1 to 3); None for every other architecture."""
    image_size: int
    """Side of the square image that the network sees, in pixels; raised to the smallest that the backbone takes."""
    head_pool: str
    """`flatten` or `avg` (global average pooling) between backbone and head."""
    head_layers: int
    """Dense layers before the output layer (0 to 3)."""
    head_width: int
    """Units of each dense layer of the head."""
    dropout: float
    """Dropout rate in [0, 1)."""
    dropout_at: str
    """`last` (after the last dense layer) or `each`."""
    batch_size: int
    learning_rate: float
    schedule: str
    """`constant`, `cosine` (to zero over all epochs) or `plateau` (halved when validation stalls)."""
    optimizer: str
    """`adam`, `adamw` or `sgd`."""
    momentum: float
    """Momentum of `sgd`; without effect on the others."""
    weight_decay: float
    """Decoupled weight decay (Loshchilov and Hutter, 2019); 0 switches it off."""
    label_smoothing: float
    """Share of the target probability spread over all classes, in [0, 1)."""
    augment: str
    """`none` or `shift_rotate`."""
    patience: int
    """Epochs without a better validation value after which training stops early."""
    epochs: int
    """Epochs at most."""
    batch_norm: str
    """`honest` (averages recomputed before each validation) or `keras` (as Keras keeps them)."""
    weight_average: str
    """`tail` (judged by the mean of the weights over the last steps) or `none` (by the last step's)."""

    @property
    def is_averaged(self) -> bool:
        """Whether a mean of the weights is judged. BatchNorm's averages as Keras keeps them would not be the mean's."""
        return self.weight_average == "tail" and self.batch_norm == "honest"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from a mapping such as a message carries.

        Raises:
            TypeError: if a name is unknown or missing; the message names it.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise TypeError(f"the trainer has no parameter {unknown[0]!r}")
        return cls(**values)
