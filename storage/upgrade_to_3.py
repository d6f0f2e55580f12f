"""The step from version 2 of our tables to 3: Optuna's tables tell the truth about trials that wait.

Up to version 2 a paused trial was RUNNING in Optuna's tables, and one that was pruned was PRUNED, where Optuna's best
trial, history and importance do not see it. Attributes are read as version 2 wrote them, whatever later versions do.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from optuna.trial import TrialState

from storage import optuna_rows
from storage.held_trials import held_trials
from storage.optuna_rows import system_attributes, trials, values
from storage.tables import trials_table

if TYPE_CHECKING:
    from sqlalchemy import Engine

_study_attributes = sa.table(
    "study_system_attributes", sa.column("study_id"), sa.column("key"), sa.column("value_json")
)


def show_waiting_trials(engine: Engine) -> int:
    """Give every trial its best value, and show those that wait or were pruned; returns how many rows have changed.

    One transaction a study; what an interrupted run has done stays, and the next one goes on.
    """
    with engine.connect() as connection:
        objectives = dict(_objectives(connection))
    changed = 0
    for study_id, objective in objectives.items():
        with engine.begin() as connection:
            changed += sum(_show(connection, row, objective) for row in _trials_of(connection, study_id))
    return changed


def _objectives(connection: sa.Connection) -> list[tuple[int, dict[str, str]]]:
    """Metric and direction of each study that hpsearch made, by Optuna's key; unreadable ones are passed over."""
    query = sa.select(_study_attributes.c.study_id, _study_attributes.c.value_json)
    found = []
    for study_id, text in connection.execute(query.where(_study_attributes.c.key == "hpsearch:space")):
        try:
            found.append((study_id, json.loads(json.loads(text))["objective"]))
        except (ValueError, TypeError, KeyError):
            continue
    return found


def _trials_of(connection: sa.Connection, study_id: int) -> list[Any]:
    held, curve = held_trials(study_id).subquery(), system_attributes
    of_trial = (curve.c.trial_id == held.c.trial_id, curve.c.key == "hpsearch:curve")
    query = sa.select(held, curve.c.value_json.label("curve")).outerjoin(curve, sa.and_(*of_trial))
    return list(connection.execute(query))


def _show(connection: sa.Connection, row: Any, objective: dict[str, str]) -> bool:
    value = _best(json.loads(row.curve) if row.curve else [], objective)
    if row.state in (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED) and value is not None:
        optuna_rows.set_value(connection, row.trial_id, value)
    if row.state is TrialState.RUNNING and row.held_state in ("paused", "released"):
        optuna_rows.show_paused(connection, row.trial_id, value)
        key = (trials_table.c.study == row.held_study, trials_table.c.number == row.held_number)
        connection.execute(trials_table.update().where(*key).values(value=value))
        return True
    has_value = connection.scalar(sa.select(values.c.value).where(values.c.trial_id == row.trial_id)) is not None
    if row.state is TrialState.PRUNED and row.held_state is not None and has_value:
        change = {"state": TrialState.COMPLETE}
        connection.execute(trials.update().where(trials.c.trial_id == row.trial_id).values(change))
        optuna_rows.set_attributes(
            connection, optuna_rows.user_attributes, row.trial_id, {optuna_rows.STATE_ATTRIBUTE: "pruned"}
        )
        return True
    return False


def _best(curve: list[dict[str, float]], objective: dict[str, str]) -> float | None:
    """The best evaluation's value; one of a part of the validation images counts a standard error less."""
    metric, is_maximized = objective["metric"], objective["direction"] == "maximize"
    scored = [entry for entry in curve if metric in entry]
    found = [entry for entry in scored if "val_images" not in entry] or scored
    if not found:
        return None
    best = (max if is_maximized else min)(found, key=lambda entry: entry[metric])
    value, n = best[metric], best.get("val_images")
    if n is None or not is_maximized:
        return value
    return value - math.sqrt(max(value * (1.0 - value), 0.0) / n)
