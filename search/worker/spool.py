"""Results on their way into the store: on disk first, so that no death and no outage loses one."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from search.training.files import write
from search.worker.results import Result
from storage.files import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.files import Files

logger = logging.getLogger(__name__)


class Spool:
    """The results of one worker that are not known to be recorded; a file each, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Work in `folder`, which is made with the first result; other workers' are beside it."""
        self._folder = folder

    @classmethod
    def of(cls, files: Files, worker: str) -> Self:
        """The spool of that worker: `spool/WORKER` among the store's files."""
        return cls(files.path("spool") / safe_name(worker))

    def keep(self, result: Result) -> None:
        """Write a result down. Without room on the disk it goes on in memory alone, with a warning."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write(self._file(result), lambda file: file.write(result.to_json().encode()))
        except OSError as error:
            logger.warning("the result of trial %d could not be spooled: %s", result.number, error)

    def remove(self, result: Result) -> None:
        """Remove a result that the store has."""
        self._file(result).unlink(missing_ok=True)
        with suppress(OSError):  # others are left, or it is gone
            self._folder.rmdir()

    def others(self, seconds: float) -> Iterator[tuple[Result, Spool]]:
        """Results that other workers have left here for so long, each with its spool: they may have died."""
        for file in sorted(self._folder.parent.glob("*/*.json")):
            if file.parent != self._folder:
                with suppress(FileNotFoundError):  # just recorded
                    if time.time() - file.stat().st_mtime < seconds:
                        continue
                    found = _read(file)
                    if found:
                        yield found, Spool(file.parent)

    def _file(self, result: Result) -> Path:
        return self._folder / f"{safe_name(result.study)}-{result.number}-{safe_name(result.token)}.json"


def _read(file: Path) -> Result | None:
    try:
        return Result.from_json(file.read_text())
    except ValueError as error:
        logger.warning("%s is left alone: %s", file, error)
        return None
