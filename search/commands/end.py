"""What `start` says when it ends: the best trial, and what to type next."""

from __future__ import annotations

import os
import shlex
import textwrap
from typing import TYPE_CHECKING

from search.calling import program
from search.commands.options import DEFAULT_STORAGE, STORAGE_VARIABLE, talk
from search.durations import format_duration, format_epochs
from search.texts import clean
from search.view.tables import format_params, format_score
from storage.files import safe_name

if TYPE_CHECKING:
    from rich.console import Console

    from search.trial import TrialRecord
    from search.view.status import StudyView

_ENDINGS = {
    "finished": "the budget of trials is used up",
    "out_of_time": "the time is up; the same command carries on",
    "stopped": "it was stopped",
    "stopping": "it is being stopped",
    "open": "workers elsewhere may still be at it",
}
_INDENT = " " * 6  # below "best: "


def conclude(view: StudyView, storage: str, *, has_test: bool, is_interrupted: bool = False) -> None:
    """Say how the study ended, what is best, and the next commands.

    Args:
        view: the study as it stands.
        storage: what the option named.
        has_test: whether its data have a test part.
        is_interrupted: whether Ctrl-C or SIGTERM ended this `start`, and not the study.
    """
    console = talk()
    how = _interruption(view) if is_interrupted else _ENDINGS[view.state]
    console.print(f"\nstudy {clean(view.name)}: {how}.")
    best = view.best
    if best is None:
        console.print(f"No trial has a value. What each one came to: {program()} status, {program()} show STUDY TRIAL")
        return
    _say_best(console, view, best)
    is_found = storage == os.environ.get(STORAGE_VARIABLE, DEFAULT_STORAGE)
    console.print("next:" if is_found else f"next (with {STORAGE_VARIABLE} naming the same store):")
    for line in next_lines(view.name, has_test=has_test):
        console.print(f"  {line}")


def next_lines(study: str, *, has_test: bool) -> list[str]:
    """What to type after a search, each command with what it gives, in two columns."""
    name, folder = shlex.quote(study), f"{safe_name(study)}-model"
    part = "the test part" if has_test else "the validation part"
    rows = (
        ("dashboard", "all trials, in a browser"),
        (f"best {name}", "the best trial again"),
        (f"export {name} -o {folder}", "its trained model, ready to use"),
        (evaluate_command(folder, has_test=has_test), f"what the model is worth on {part}"),
    )
    width = max(len(command) for command, _ in rows)
    return [f"{program()} {command:<{width}}   {what}" for command, what in rows]


def evaluate_command(folder: str, *, has_test: bool) -> str:
    """The command that measures an exported model, on images that no trial was trained on."""
    return f"evaluate {shlex.quote(folder)}" + ("" if has_test else " --split validation")


def _interruption(view: StudyView) -> str:
    left = view.counts()["running"]
    others = f"; {left} still held, by other workers or until a lease runs out" if left else ""
    return f"interrupted. What ran here was given back where it stood{others}; the same command carries on"


def _say_best(console: Console, view: StudyView, best: TrialRecord) -> None:
    took = format_duration(best.seconds.get("total", 0.0))
    on = {"paused": "; it is paused, and can go on", "running": "; it is being trained on elsewhere"}.get(
        best.state, ""
    )
    console.print(
        f"best: trial {best.number}, {view.metric} {format_score(best)} after {format_epochs(best.epochs)} ({took}){on}"
    )
    # Between words, as the terminal itself would not; what goes to a file stays one line.
    width = console.width if console.is_terminal else 10**6
    lines = textwrap.wrap(
        clean(format_params(best.params)), width, initial_indent=_INDENT, subsequent_indent=_INDENT,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    console.print("\n".join(lines) + "\n")
