"""Points that a person wants tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.errors import UsageError
from spaces.space import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.study import Study


def enqueue_point(study: Study, settings: Sequence[str], name: str | None) -> tuple[int, dict[str, Any]]:
    """Queue a point given as `KEY=VALUE` texts; returns the trial's number and the whole point.

    Parameters that are not named take the values of the architecture's default point.

    Raises:
        UsageError: for a text that is no setting, and for a point outside the space.
    """
    given = dict(_setting(text) for text in settings)
    values = study.space.fill(given)
    if problems := study.space.check_point(values):
        raise UsageError(f"this point is not in the space of {study.name}: " + "; ".join(problems))
    return study.enqueue(Point(name=name, values=values)), values


def _setting(text: str) -> tuple[str, Any]:
    from ruamel.yaml import YAML

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"a setting is KEY=VALUE, such as learning_rate=1e-3, but got {text!r}")
    return key, YAML(typ="safe", pure=True).load(value)
