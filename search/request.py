"""What `hpsearch start` is asked to do, checked before anything heavy is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from search.durations import parse_option
from search.errors import UsageError
from search.extras import check_extras
from spaces.errors import SpaceError, shown
from spaces.fields import NAME_RULE, is_name
from spaces.library import find_space
from spaces.reader import read_space

if TYPE_CHECKING:
    from spaces.space import Space


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `start` was asked to do, checked."""

    space: Space
    study: str
    trials: int | None
    timeout: float | None
    """Seconds from now."""
    workers: int | None
    """None for as many as the machine should have."""
    seed: int

    @classmethod
    def of(
        cls, *, space: str, study: str | None, data: str | None, trials: int | None,
        timeout: str | None, workers: str, settings: tuple[str, ...], seed: int,
    ) -> Self:  # fmt: skip
        """Check the options of a command line, the cheap ones first.

        Raises:
            UsageError: for an option that means nothing.
            SpaceError: for a bad space file or a bad `--set`.
            SearchError: if the sampler needs what is not installed.
        """
        seconds = parse_option("--timeout", timeout) if timeout else None
        count = _workers(workers)
        if study is not None and not is_name(study):
            raise UsageError(f"--study {NAME_RULE}; but got {shown(study)}")
        read = read_space(find_space(space))
        if settings:
            read = read.with_overrides(settings)
        if data is not None:
            read = _with_source(read, data)
        if count != 0:  # workers elsewhere may have more
            check_extras(read)
        if not is_name(study or read.study):
            raise UsageError(f"the name of a study {NAME_RULE}; but got {shown(study or read.study)}")
        return cls(
            space=read, study=study or read.study, trials=trials,
            timeout=seconds, workers=count, seed=seed,
        )  # fmt: skip


def _with_source(space: Space, source: str) -> Space:
    """The space on other data; what is wrong with the source is said of the option."""
    try:
        return space.with_overrides((f"data.source={json.dumps(source)}",))
    except SpaceError as error:
        raise SpaceError([replace(problem, path="") for problem in error.problems], "--data") from error


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    if text.isdigit():
        return int(text)
    raise UsageError(f"--workers must be a whole number or `auto`, but got {text!r}")
