"""hpsearch's scores, from outside: when its workers' logs said them, and on how many images they were measured.

A worker writes a line as soon as a judgement is in the store. The race reads the logs while they grow, which
costs the contestant nothing; the store is asked afterwards.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from racing.legs import Score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from storage.store import Store

LINES = "lines.jsonl"
"""Every line of the logs with the seconds at which it was there."""
STUDY = "race"
_JUDGED = re.compile(r"trial (\d+) epoch (\S+): val_accuracy (\S+)$")


class Watch:
    """Reads what is new in all logs of a folder, with the time at which it was found."""

    def __init__(self, logs: Path, output: Path, begun: float) -> None:
        """Watch the workers' logs in `logs`, which may not be there yet; `begun` as `time.time` gives it."""
        self._logs, self._output, self._begun = logs, output, begun
        self._read: dict[Path, int] = {}
        self.lines: list[tuple[float, str]] = []

    def look(self) -> None:
        """Read what is new; a line that is not whole yet waits for the next look."""
        seconds = round(time.time() - self._begun, 2)
        for file in sorted(self._logs.glob("*-worker-*.log")):
            with file.open("rb") as log:
                log.seek(self._read.get(file, 0))
                new = log.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read[file] = self._read.get(file, 0) + len(whole)
            found = [(seconds, f"{file.stem[-1]}: {line}") for line in whole.decode(errors="replace").splitlines()]
            self.lines += found
            with self._output.open("a") as output:
                output.writelines(json.dumps(one) + "\n" for one in found)


def scores(lines: Sequence[tuple[float, str]], curves: dict[int, Sequence[dict[str, float]]]) -> tuple[Score, ...]:
    """The judgements among the lines; `curves` are those of the trials by number, as the store has them.

    A line has four digits of the epoch and of the value; the store has all of them.
    """
    found = []
    for seconds, line in lines:
        if match := _JUDGED.search(line):
            trial, epoch, value = int(match[1]), match[2], float(match[3])
            entry = next((one for one in curves.get(trial, ()) if f"{one['epoch']:.4g}" == epoch), None)
            found.append(_score(seconds, trial, float(epoch), value, entry))
    return tuple(found)


def _score(seconds: float, trial: int, epoch: float, value: float, entry: dict[str, float] | None) -> Score:
    if entry is None:
        return Score(seconds=seconds, trial=trial, epoch=epoch, value=value)
    images = entry.get("val_images")
    return Score(
        seconds=seconds,
        trial=trial,
        epoch=entry["epoch"],
        value=entry["val_accuracy"],
        val_images=None if images is None else int(images),
    )


def curves(store: Store) -> dict[int, Sequence[dict[str, float]]]:
    """Each trial's judgements."""
    from search.study import Study

    return {trial.number: trial.curve for trial in Study(store, STUDY).trials()}
