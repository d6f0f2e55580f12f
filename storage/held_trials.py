"""A study's trials in Optuna's tables, each with its row in the ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage.holding import Holding
from storage.optuna_rows import studies, trials
from storage.tables import trials_table


def held_trials(study_id: int) -> sa.Select[Any]:
    """A query for `trial_id`, `number`, `state` (Optuna's) and what `holding_of` needs, by number.

    One statement: with one after the other, a trial that is paused in between would seem to have ended.
    """
    of_trial = (trials_table.c.study == studies.c.study_name, trials_table.c.number == trials.c.number)
    columns = (column.label(f"held_{column.name}") for column in trials_table.c)
    return (
        sa.select(trials.c.trial_id, trials.c.number, trials.c.state, *columns)
        .join(studies, studies.c.study_id == trials.c.study_id)
        .outerjoin(trials_table, sa.and_(*of_trial))
        .where(trials.c.study_id == study_id)
        .order_by(trials.c.number)
    )


def holding_of(row: Any) -> Holding | None:
    """The ledger's part of a row; None for a trial that no worker has had."""
    if row.held_state is None:
        return None
    return Holding(**{column.name: getattr(row, f"held_{column.name}") for column in trials_table.c})


def has_ended(row: Any) -> bool:
    """Whether nothing more becomes of a trial: Optuna's tables show a paused one as complete, too."""
    holding = holding_of(row)
    return holding.has_ended(row.state) if holding else row.state.is_finished()
