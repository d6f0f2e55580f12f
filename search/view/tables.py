"""The same data for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from search.durations import format_duration, format_epochs
from search.texts import clean, clean_lines
from search.view.vitals import vitals_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from search.trial import TrialRecord
    from search.view.status import StudyView

N_LOG_LINES = 30
"""Of a failed trial's log, for a terminal; the JSON of `show` has what is kept of it."""
_COLOURS = {
    "running": "cyan",
    "waiting": "dim",
    "paused": "yellow",
    "complete": "green",
    "pruned": "magenta",
    "failed": "red",
}
_N_ROWS = 16
_N_OTHER_LINES = 6  # of a screen: headline, header, footer, two empty ones, and the cursor's


def studies_table(views: Sequence[StudyView]) -> Table:
    """One row a study."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("study", "state", "trials", "best", "workers", "time left"):
        table.add_column(column, overflow="fold")
    for view in views:
        counts = ", ".join(f"{number} {state}" for state, number in view.counts().items() if number)
        table.add_row(
            Text(clean(view.name)), view.state.replace("_", " "), counts or "none", _best(view.best),
            str(len(view.workers)), _left(view.seconds_left),
        )  # fmt: skip
    return table


def study_screen(view: StudyView, height: int | None = None) -> RenderableType:
    """A whole screen for one study: what runs, what was best, how much is left.

    Args:
        view: the study.
        height: lines that the screen has; a trial is one of them, cut where it is too long. None
            for a listing that is scrolled: there nothing is cut.
    """
    n_rows = _N_ROWS if height is None else max(4, height - _N_OTHER_LINES)
    trials = _trials_table(view, n_rows, is_cut=height is not None)
    return Group(_headline(view), Text(), trials, Text(), _footer(view, n_rows))


def listing(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table with a headline."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else clean(cell) for cell in row))
    return table


def pairs_table(rows: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a row."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(clean(value)))
    return table


def trial_screen(shown: dict[str, Any]) -> RenderableType:
    """One trial, from the JSON of `show`."""
    seconds = ", ".join(
        f"{name} {value:.1f} s" for name, value in shown["seconds"].items() if shown["seconds"]["total"]
    )
    facts = pairs_table(
        [
            ("trial", f"{shown['trial']} of {shown['study']}"),
            ("state", f"{shown['state']}, {shown['reason']}" if shown["reason"] else shown["state"]),
            ("why", shown["why"] or "it has not ended yet"),
            ("value", "none yet" if shown["value"] is None else format_measured(shown)),
            ("parameters", format_params(shown["params"])),
            ("time", seconds or "known after its first judgement"),
            ("attempts", shown["attempts"]),
            ("worker", shown["worker"] or "none"),
            ("seed", shown["seed"]),
        ]
    )
    parts: list[RenderableType] = [facts]
    if shown["curve"]:
        parts += [Text(), _curve_table(shown["curve"])]
    if shown["vitals"]:
        parts += [Text(), vitals_table(shown["vitals"])]
    if shown["log"]:
        last = shown["log"].rstrip().splitlines()[-N_LOG_LINES:]
        parts += [Text(), Text("the trainer's last lines", style="bold"), Text(clean_lines("\n".join(last)))]
    return Group(*parts)


def best_screen(best: dict[str, Any]) -> RenderableType:
    """The best trial, from the JSON of `best`."""
    goes_on = {"running": " (it is being trained, and may get better)", "paused": " (it is paused, and can go on)"}
    return pairs_table(
        [
            ("study", best["study"]),
            ("trial", f"{best['trial']}{goes_on.get(best['state'], '')}"),
            ("value", format_measured(best)),
            ("parameters", format_params(best["params"])),
            ("trained", f"{format_epochs(best['epochs'])} in {format_duration(best['seconds'])}"),
            ("model", f"{best['parameters']:,} parameters" if best["parameters"] else "size not known yet"),
        ]
    )


def counted(number: int, noun: str) -> str:
    """`1 worker`, `2 workers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_measured(shown: dict[str, Any]) -> str:
    """The value in the JSON of `best` or `show`, and on how many validation images it was measured."""
    return _measured(shown["value"], shown["score"], f"on {shown['val_images']:,} validation images")


def _measured(value: float | None, score: float | None, where: str) -> str:
    """A value, and the score that it was made of where that is another one."""
    if score is None or score == value:
        return f"{value:.4f} {where}"
    return f"{value:.4f} ({score:.4f} {where}, less a standard error)"


def format_params(params: dict[str, Any]) -> str:
    """Values in the space's order, short: `DenseNet121, head_width 512, learning_rate 0.001`."""
    shown = [str(params["architecture"])] if "architecture" in params else []
    shown += [f"{name} {format_value(value)}" for name, value in params.items() if name != "architecture"]
    return ", ".join(shown)


def format_value(value: object) -> str:
    """A number as short as it stays readable."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _headline(view: StudyView) -> Text:
    text = Text()
    text.append(clean(view.name), style="bold")
    begun = sum(trial.state != "waiting" for trial in view.trials)
    of = f" of {view.budget}" if view.budget is not None else ""
    workers = counted(len(view.workers), "worker")
    text.append(f"   {view.state.replace('_', ' ')} · {begun}{of} trials begun · {workers}")
    if view.seconds_left is not None:
        text.append(f" · {_left(view.seconds_left)} left")
    return text


def _trials_table(view: StudyView, n_rows: int, *, is_cut: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("trial", justify="right")
    for column in ("state", "trained", view.metric, "what"):
        table.add_column(column, no_wrap=column != "what")
    leader = view.best
    progress = {worker.trial: worker.progress for worker in view.workers if worker.study == view.name}
    for trial in _most_telling(view, n_rows):
        marks = " ←" if leader is not None and trial.number == leader.number else ""
        table.add_row(
            str(trial.number),
            Text(trial.state, style=_COLOURS[trial.state]),
            Text(clean(progress.get(trial.number, ""))) if trial.state == "running" else _reached(trial),
            "" if trial.value is None else f"{'~' if trial.val_images else ''}{trial.value:.4f}{marks}",
            Text(clean(_what(trial)), no_wrap=is_cut, overflow="ellipsis" if is_cut else "fold"),
        )
    return table


def _reached(trial: TrialRecord) -> str:
    if not trial.curve:
        return ""
    where = format_epochs(trial.epochs)
    return f"waits at {trial.images:,} images ({where})" if trial.state == "paused" else where


def _most_telling(view: StudyView, n_rows: int) -> list[TrialRecord]:
    """Running trials, then the best, then those that wait, as many as fit."""
    order = {"running": 0, "complete": 1, "paused": 1, "pruned": 1, "failed": 2, "waiting": 3}
    sign = -1.0 if view.maximizes else 1.0

    def rank(trial: TrialRecord) -> tuple[int, float, int]:
        return order[trial.state], sign * (trial.value or 0.0), trial.number

    return sorted(view.trials, key=rank)[:n_rows]


def _what(trial: TrialRecord) -> str:
    name = f"{trial.name}: " if trial.name else ""
    failed = trial.outcome.why if trial.outcome and trial.state == "failed" else ""
    return failed or name + format_params(trial.params)


def _footer(view: StudyView, n_rows: int) -> Text:
    hidden = len(view.trials) - n_rows
    leader = view.best
    best = f"best: trial {leader.number}, {format_score(leader)}" if leader else "no trial has a value yet"
    if leader and leader.state == "running":
        best += ", still running"
    return Text(best + (f"   ({hidden} more trials not shown)" if hidden > 0 else ""), style="bold")


def _curve_table(curve: Sequence[dict[str, float]]) -> Table:
    columns = list(dict.fromkeys(name for entry in curve for name in entry))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right")
    for entry in curve:
        table.add_row(*(_cell(entry.get(column), column) for column in columns))
    return table


def _cell(value: float | None, column: str) -> str:
    if value is None:
        return ""
    if column in ("epoch", "images", "val_images"):
        return f"{value:.4g}" if column == "epoch" else f"{value:,.0f}"
    return f"{value:.2e}" if column == "learning_rate" else f"{value:.4f}"


def _best(best: TrialRecord | None) -> str:
    return "none yet" if best is None else f"{format_score(best)} (trial {best.number})"


def format_score(trial: TrialRecord) -> str:
    """A trial's value, and what it is made of where only a part of the validation images was used."""
    if not trial.val_images:
        return f"{trial.value:.4f}"
    return _measured(trial.value, trial.score, f"on only {trial.val_images:,} validation images")


def _left(seconds: float | None) -> str:
    return "no limit" if seconds is None else format_duration(seconds)
