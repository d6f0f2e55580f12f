"""Why a worker has nothing to do, in a sentence for the person who started it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from pathlib import Path

    from search.study import Study, StudyState

_REOPEN = "the `hpsearch start` that began it opens it again"

_MANY = 3  # studies that are named one by one


@dataclass(frozen=True, kw_only=True)
class Idle:
    """A study that has no work for this worker, and why."""

    study: str
    why: StudyState | Literal["refused", "late"]
    """`late`: it is open, but no further work fits into its time. `refused`: its data are not here."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The disk with the store's files, in bytes."""

    folder: Path
    free: int
    floor: int
    """Free bytes below which no trial is taken."""

    @property
    def is_full(self) -> bool:
        """Whether there is too little room to begin, or go on with, a trial."""
        return self.free < self.floor


REASONS = {
    "open": "all that may run now runs already: waiting for results that make new work",
    "late": f"nothing more fits into the time it has left; {_REOPEN}",
    "out_of_time": f"its time is up; {_REOPEN}, with a --timeout of its own where you like",
    "stopping": "it ends as soon as its running trials have",
    "stopped": f"it was stopped; {_REOPEN}",
    "finished": f"its budget of trials is used up; {_REOPEN} if it names more --trials",
    "refused": "its data could not be loaded here, or are others than it was begun on",
}
"""Of each state of a study, what it waits for."""


def look(studies: Iterable[Study], refused: Container[str], is_late: Callable[[Study], bool]) -> list[Idle]:
    """Each study with its reason.

    Args:
        studies: those that the worker would serve.
        refused: names of those that it has refused for their data.
        is_late: whether a study had no work fitting into its time.
    """
    found = []
    for study in studies:
        state = study.state()
        if study.name in refused:
            found.append(Idle(study=study.name, why="refused"))
        elif state == "open" and is_late(study):
            found.append(Idle(study=study.name, why="late"))
        else:
            found.append(Idle(study=study.name, why=state))
    return found


def short_of_disk(disk: Disk) -> str:
    """What a worker says that takes no trial for want of room; without the free bytes, which change all the time."""
    return (
        f"no work is taken: a trial needs {disk.floor / 2**30:.3g} GiB of free disk for its checkpoints, but "
        f"{disk.folder} has less; make room there and it goes on, or give another --disk-floor"
    )


def sentence(idle: Sequence[Idle]) -> str:
    """What a worker waits for, and how to give it work."""
    if not idle:
        return "no work: there is no study yet; `hpsearch start --space head_shrink --workers 0` creates one"
    alive = [one for one in idle if one.why in ("open", "stopping")]
    told = alive or idle
    if len(told) <= _MANY:
        return "no work: " + "; ".join(f"study {one.study}: {REASONS[one.why]}" for one in told)
    if alive:
        return f"no work: {len(alive)} studies are open, and {REASONS['open']}"
    return (
        f"no work: none of {len(idle)} studies is open; `hpsearch start` opens one again, `hpsearch status` lists them"
    )
