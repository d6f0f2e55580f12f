"""Points that a person wants tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.errors import UsageError
from search.worker.idleness import REASONS
from spaces.errors import shown
from spaces.overrides import parse_setting
from spaces.points import MAX_NAME
from spaces.space import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.study import Study


def enqueue_point(study: Study, settings: Sequence[str], name: str | None) -> tuple[int, dict[str, Any]]:
    """Queue a point given as `KEY=VALUE` texts; returns the trial's number and the whole point.

    Parameters that are not named take the values of the architecture's default point.

    Raises:
        SpaceError: for a text that is no setting.
        UsageError: for a point outside the space, or a name that does not fit a line.
    """
    if name is not None and not (name.isprintable() and 0 < len(name) <= MAX_NAME):
        raise UsageError(f"--name must be one line of at most {MAX_NAME} characters, but got {shown(name)}")
    given = dict(parse_setting(text) for text in settings)
    values = study.space.fill(given)
    if problems := study.space.check_point(values):
        raise UsageError(f"this point is not in the space of {study.name}: " + "; ".join(problems))
    return study.enqueue(Point(name=name, values=values), comes_next=True), values


def obstacle(study: Study) -> str | None:
    """Why a queued point is not tried as things stand; None where nothing is in its way."""
    budget, state = study.control().trials, study.state()
    begun = sum(trial.state != "waiting" for trial in study.trials())
    if state == "open" and budget is not None and begun >= budget:
        state = "finished"
    return None if state == "open" else REASONS[state]
