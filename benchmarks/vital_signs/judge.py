"""What the diagnosis says of each recorded run, and whether it is right."""

from __future__ import annotations

import hashlib
import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.training.vitals.examination import Examination
from search.training.vitals.signs import Signs
from vital_signs.labels import N_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.training.vitals.diagnosis import Diagnosis
    from vital_signs.recordings import Recording
    from vital_signs.runs import Run

_NORMALISED = ("MobileNet", "MobileNetV2", "DenseNet121", "EfficientNetB1", "ResNet50")


IN_TIME = 30
MEDIAN_DELAY = 15
"""Steps from death to discovery: at most so many for nearly all of the dead, fewer than that for half of them."""


@dataclass(frozen=True)
class Judgement:
    """One run, and what was said of it."""

    recording: Recording
    stopped_at: int | None
    """The step at which the trial would have been ended; None for never."""
    last: Diagnosis

    @property
    def delay(self) -> int | None:
        """Steps from death to its discovery; negative where it was called dead before; None where it was not found."""
        if self.stopped_at is None or self.recording.died_at is None:
            return None
        return self.stopped_at - self.recording.died_at


def judge(recording: Recording) -> Judgement:
    """Feed the diagnosis as the trainer does."""
    *_, (last, step) = _until_hopeless(recording)
    return Judgement(recording, step if last.is_hopeless else None, last)


def diagnoses(recording: Recording) -> Iterator[tuple[Diagnosis, int]]:
    """What is said at each step that is looked at."""
    run = recording.run
    is_normalised = run.structure.architecture in _NORMALISED
    examination = Examination(math.log(N_CLASSES), is_normalised=is_normalised, batch_size=run.batch_size)
    for place, step in enumerate(recording.steps):
        if step >= examination.next_step:
            values = {name: column[place] for name, column in recording.columns.items()}
            yield examination.look(Signs.from_dict({**values, "step": step})), step


def is_for_choosing(run: Run) -> bool:
    """Whether thresholds may be chosen on this run; structure and seed decide, about half are for each."""
    return hashlib.sha256(f"{run.structure.key} {run.seed}".encode()).digest()[0] % 2 == 0


def looked_at(recording: Recording) -> set[int]:
    """The steps to keep: those that are looked at, every tenth, and the last."""
    seen = {step for _, step in _until_hopeless(recording)}
    return seen | {step for step in recording.steps if step <= 100 or step % 10 == 0} | {recording.steps[-1]}


def summary(parts: dict[str, list[Judgement]]) -> str:
    """A table with a row for each part of the runs."""
    lines = [
        "| runs | dead | found | within 30 steps | median delay, steps | diverged | ended as such | living | stopped |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, judgements in parts.items():
        dead, diverged = _labelled(judgements, "dead"), _labelled(judgements, "diverged")
        living = _labelled(judgements, "stuck", "learning")
        delays = [one.delay for one in dead if one.delay is not None]
        cells = (
            name, len(dead), len(delays), sum(delay <= IN_TIME for delay in delays),
            f"{statistics.median(delays):g}" if delays else "", len(diverged),
            sum(one.stopped_at is not None for one in diverged), len(living),
            sum(one.stopped_at is not None for one in living),
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def networks(judgements: Sequence[Judgement]) -> str:
    """A table of what the runs are, with a row for each network."""
    lines = [
        "| network | runs | optimizers | learning rates | batches | dead | diverged | learning | neither |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    names = {(run.structure.architecture, run.structure.blocks) for run in (one.recording.run for one in judgements)}
    for name in sorted(names, key=lambda name: (name[0], name[1] or 0)):
        found = [one for one in judgements if _network(one) == name]
        runs = [one.recording.run for one in found]
        rates, sizes = ([getattr(run, key) for run in runs] for key in ("learning_rate", "batch_size"))
        title = name[0] if name[1] is None else f"{name[0]}, {name[1]} blocks"
        counts = (
            len(_labelled(found, *labels)) for labels in (("dead",), ("diverged",), ("learning",), ("stuck", "late"))
        )
        cells = (
            title, len(found), ", ".join(sorted({run.optimizer for run in runs})), _span(rates), _span(sizes), *counts
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def _network(judgement: Judgement) -> tuple[str, int | None]:
    structure = judgement.recording.run.structure
    return structure.architecture, structure.blocks


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def missed(judgements: Sequence[Judgement]) -> list[str]:
    """The aims that these judgements miss, in words."""
    dead, living = _labelled(judgements, "dead"), _labelled(judgements, "stuck", "learning")
    delays = [one.delay for one in dead if one.delay is not None]
    in_time = sum(delay <= IN_TIME for delay in delays)
    wrong = [f"stopped alive: {one.recording.run.key} at step {one.stopped_at}" for one in living if one.stopped_at]
    if in_time < 0.95 * len(dead):
        wrong.append(f"found in time: {in_time} of {len(dead)} dead")
    if delays and statistics.median(delays) >= MEDIAN_DELAY:
        wrong.append(f"median delay: {statistics.median(delays):g} steps")
    return wrong


def _labelled(judgements: Sequence[Judgement], *labels: str) -> list[Judgement]:
    return [one for one in judgements if one.recording.label in labels]


def _until_hopeless(recording: Recording) -> Iterator[tuple[Diagnosis, int]]:
    for diagnosis, step in diagnoses(recording):
        yield diagnosis, step
        if diagnosis.is_hopeless:
            return
