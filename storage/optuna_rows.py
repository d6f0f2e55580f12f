"""What Optuna's own tables say of a trial that has not ended.

Optuna has no state for a trial that waits to go on. Its tables call it COMPLETE, with its best value so far, for as
long as no worker holds it (WAITING where it has no value yet), and RUNNING while one does. So `optuna.load_study`,
`optuna.visualization` and optuna-dashboard see what the search has found.

Each function works on the caller's connection: these rows change in the transaction that changes the lease, or not
at all.
See docs/decisions/0020-paused-trials-in-optunas-tables.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from optuna.storages._rdb import models
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE_ATTRIBUTE = "state"
"""The user attribute that names the trial's state in hpsearch's words: `paused` tells it from one that has ended."""

studies = models.StudyModel.__table__
trials = models.TrialModel.__table__
values = models.TrialValueModel.__table__
user_attributes = models.TrialUserAttributeModel.__table__
system_attributes = models.TrialSystemAttributeModel.__table__
intermediate_values = models.TrialIntermediateValueModel.__table__

_FINITE = models.TrialValueModel.TrialValueType.FINITE
_FINITE_STEP = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What has become of a trial since it was last written."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    """System attributes that have changed, by name; their values can be written as JSON."""
    steps: Mapping[int, float] = field(default_factory=dict)
    """New intermediate values, by step."""
    value: float | None = None
    """The best value so far; None before the first evaluation."""


def find(connection: sa.Connection, study: str, number: int) -> tuple[int, TrialState] | None:
    """Optuna's key of a trial, and its state in Optuna's tables; None where there is no such trial."""
    query = (
        sa.select(trials.c.trial_id, trials.c.state)
        .join(studies, studies.c.study_id == trials.c.study_id)
        .where(studies.c.study_name == study, trials.c.number == number)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.trial_id, row.state)


def best_value(connection: sa.Connection, trial_id: int) -> float | None:
    """The trial's best value so far; None before its first evaluation."""
    return connection.scalar(sa.select(values.c.value).where(values.c.trial_id == trial_id))


def show_paused(connection: sa.Connection, trial_id: int, value: float | None) -> None:
    """Show a trial that no worker holds: complete with its best value so far, or waiting without one."""
    state = TrialState.WAITING if value is None else TrialState.COMPLETE
    # By the clock that Optuna takes the trial's start from: a duration is the difference of the two.
    at = None if value is None else datetime.now(UTC).replace(tzinfo=None)
    _set_state(connection, trial_id, state, at)
    set_attributes(connection, user_attributes, trial_id, {STATE_ATTRIBUTE: "paused"})


def show_running(connection: sa.Connection, trial_id: int) -> None:
    """Show a trial that a worker holds again; its value stays, so that a reader never finds a complete one without."""
    _set_state(connection, trial_id, TrialState.RUNNING, None)
    set_attributes(connection, user_attributes, trial_id, {STATE_ATTRIBUTE: "running"})


def write(connection: sa.Connection, trial_id: int, progress: Progress) -> None:
    """Write what has become of a trial. Its state stays."""
    set_attributes(connection, system_attributes, trial_id, progress.attributes)
    for step, value in progress.steps.items():
        change = {"intermediate_value": value, "intermediate_value_type": _FINITE_STEP}
        _put(connection, intermediate_values, {"trial_id": trial_id, "step": step}, change)
    if progress.value is not None:
        set_value(connection, trial_id, progress.value)


def set_value(connection: sa.Connection, trial_id: int, value: float) -> None:
    """Set the trial's best value so far."""
    _put(connection, values, {"trial_id": trial_id, "objective": 0}, {"value": value, "value_type": _FINITE})


def clear_value(connection: sa.Connection, trial_id: int) -> None:
    """Remove the trial's value: Optuna allows a failed trial none."""
    connection.execute(values.delete().where(values.c.trial_id == trial_id))


def set_attributes(connection: sa.Connection, table: sa.Table, trial_id: int, attributes: Mapping[str, Any]) -> None:
    """Set attributes of a trial in `user_attributes` or `system_attributes`; values are written as JSON."""
    for key, value in attributes.items():
        _put(connection, table, {"trial_id": trial_id, "key": key}, {"value_json": json.dumps(value)})


def _set_state(connection: sa.Connection, trial_id: int, state: TrialState, completed_at: datetime | None) -> None:
    change = {"state": state, "datetime_complete": completed_at}
    connection.execute(trials.update().where(trials.c.trial_id == trial_id).values(change))


def _put(connection: sa.Connection, table: sa.Table, key: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    """Update the row of that key, or insert it; the caller has locked the trial's lease, so no other process does."""
    where = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(table.update().where(*where).values(change)).rowcount:
        connection.execute(table.insert().values({**key, **change}))
