"""A row of the ledger: one trial, who has it, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    import sqlalchemy as sa
    from optuna.trial import TrialState

State = Literal["running", "paused", "released", "decided", "ended"]


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One trial in the ledger. Times are seconds since 1970 on the database's clock."""

    study: str
    number: int
    state: State
    """`running`: a worker has the lease. `paused`: waits at a rung, in nobody's hands. `released`:
    given back, or its lease ran out; to be carried on. `decided`: its result is fixed, and Optuna
    is being told. `ended`: over."""
    token: str | None
    """The latest attempt's; None once its lease has run out and was reaped."""
    worker: str
    """Who has it or had it last."""
    attempt: int
    """From 1; one more for each time a worker was lost, not for pauses and orderly returns."""
    is_lost: bool
    """Whether the latest attempt ended with its worker lost."""
    rung: int | None
    epoch: int
    """Epochs done when it was paused or given back."""
    value: float | None
    """Its best value, under which Optuna's tables show it as complete while it is paused or released."""
    expires_at: float | None
    changed_at: float
    lease: float | None
    """Seconds that the lease was given for."""
    doubted_at: float | None
    """When it was first seen to have run out; None while nobody has doubted it."""
    result: str | None
    """How it ended, from when that is decided until Optuna has been told."""

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Self:
        """From a row of `hpsearch_trials`."""
        return cls(**row)

    def has_ended(self, shown: TrialState) -> bool:
        """Whether the trial has ended, given the state in which Optuna's tables show it: see `storage.optuna_rows`."""
        waits = self.state in ("paused", "released") and self.value is not None and shown.name == "COMPLETE"
        return shown.is_finished() and not waits
