"""Whether a study is the one that is meant: the same space, the same data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from search.errors import StudyMismatchError

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import DataLoaded
    from spaces.space import Space


def check_same(study: Study, space: Space, data: DataLoaded) -> None:
    """Refuse to carry on a study with another space or other data.

    Raises:
        StudyMismatchError: naming what differs and how to go on.
    """
    cure = f"give the new search a name of its own: --study {study.name}-2"
    if study.space.hash != space.hash:
        differing = ", ".join(_differences(study.space, space))
        raise StudyMismatchError(f"study {study.name!r} searches another space (it differs in {differing}); {cure}")
    check_data(study, data, cure)


def check_data(study: Study, data: DataLoaded, cure: str) -> None:
    """Refuse other data than the study's; raises StudyMismatchError naming both."""
    if study.data.fingerprint != data.fingerprint:
        raise StudyMismatchError(
            f"study {study.name!r} was begun on {_described(study.data)}, but here is {_described(data)}; {cure}"
        )


def _described(data: DataLoaded) -> str:
    return f"{data.source} (fingerprint {data.fingerprint[:12]})"


def _differences(one: Space, other: Space) -> list[str]:
    ours, theirs = json.loads(one.to_json()), json.loads(other.to_json())
    return sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
