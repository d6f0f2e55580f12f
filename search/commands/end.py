"""What `start` says when it ends: the best trial, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.commands.options import DEFAULT_STORAGE, STORAGE_VARIABLE, say
from search.durations import format_duration, format_epochs
from search.texts import clean
from search.view.tables import format_params

if TYPE_CHECKING:
    from search.view.status import StudyView

_ENDINGS = {
    "finished": "the budget of trials is used up",
    "out_of_time": "the time is up; the same command carries on",
    "stopped": "it was stopped",
    "stopping": "it is being stopped",
    "open": "workers elsewhere may still be at it",
}


def conclude(view: StudyView, storage: str) -> None:
    """Say how the study ended, what is best, and the next three commands."""
    say(f"\nstudy {clean(view.name)}: {_ENDINGS[view.state]}.")
    best = view.best
    if best is None:
        say("No trial has a value. What each one came to: hpsearch status, hpsearch show STUDY TRIAL")
        return
    took = format_duration(best.outcome.seconds.get("total", 0.0) if best.outcome else 0.0)
    paused = "; it is paused, and can go on" if best.state == "paused" else ""
    part = f" on {best.val_images} validation images only" if best.val_images else ""
    say(
        f"best: trial {best.number}, {view.metric} {best.value:.4f}{part} after {format_epochs(best.epochs)} "
        f"({took}){paused}"
    )
    say(f"      {clean(format_params(best.params))}\n")
    say("next:" if storage == DEFAULT_STORAGE else f"next (with {STORAGE_VARIABLE} naming the same store):")
    say("  hpsearch dashboard                         all trials, in a browser")
    say(f"  hpsearch best {view.name}")
    say(f"  hpsearch export {view.name} -o best-model    the trained model, ready to use")
