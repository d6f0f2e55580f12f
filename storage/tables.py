"""Our own tables, beside Optuna's in the same database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Double, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

SCHEMA_VERSION = 3
"""Raised with every change of the tables below; see `storage.schema` for the steps between."""

UNFINISHED = 0
"""The version while a store is being created: whoever finds it goes on where the other one died."""

metadata = MetaData()

schema_table = Table("hpsearch_schema", metadata, Column("version", Integer, nullable=False))

trials_table = Table(
    "hpsearch_trials",
    metadata,
    Column("study", String(512), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("token", String(32), unique=True),  # NULL once a lease has run out and was reaped
    Column("worker", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("is_lost", Boolean, nullable=False),
    Column("rung", Integer),
    Column("epoch", Integer, nullable=False),
    Column("value", Double),
    Column("expires_at", Double),
    Column("changed_at", Double, nullable=False),
    Column("lease", Double),  # since version 2, as the two below: columns that came later may be NULL
    Column("doubted_at", Double),
    Column("result", Text),
    Index("ix_hpsearch_trials_state", "study", "state"),
)

workers_table = Table(
    "hpsearch_workers",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("study", String(512)),
    Column("trial", Integer),
    Column("progress", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

late_table = Table(
    "hpsearch_late_results",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("study", String(512), nullable=False),
    Column("number", Integer, nullable=False),
    Column("result", Text, nullable=False),
    Column("came_at", Double, nullable=False),
    Index("ix_hpsearch_late_results_study", "study"),
)


class EpochNow(FunctionElement[float]):
    """The database's clock when the statement runs: seconds since 1970-01-01 UTC, as a double.

    Not the time at which the transaction began: a renewal that had to wait counts from its end.
    """

    type = Double()
    inherit_cache = True


@compiles(EpochNow, "postgresql")
def _on_postgresql(_element: EpochNow, _compiler: Any, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(EpochNow, "sqlite")
def _on_sqlite(_element: EpochNow, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"
