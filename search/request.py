"""What `hpsearch start` is asked to do, checked before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from search.durations import parse_option
from search.errors import UsageError
from spaces.errors import shown
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
        """
        seconds = parse_option("--timeout", timeout) if timeout else None
        count = _workers(workers)
        if study is not None and not is_name(study):
            raise UsageError(f"--study {NAME_RULE}; but got {shown(study)}")
        overrides = (*settings, *((f"data.source={data}",) if data else ()))
        read = read_space(find_space(space))
        if overrides:
            read = read.with_overrides(overrides)
        return cls(
            space=read, study=study or read.study, trials=trials,
            timeout=seconds, workers=count, seed=seed,
        )  # fmt: skip


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    if text.isdigit():
        return int(text)
    raise UsageError(f"--workers must be a whole number or `auto`, but got {text!r}")
