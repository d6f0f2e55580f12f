"""`hpsearch status`, `best` and `show`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from search.commands.options import (
    DEFAULT_STORAGE,
    AsFormat,
    Format,
    Storage,
    opened,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from search.view.status import StudyView

WATCH_SECONDS = 1.0

StudyName = Annotated[str, typer.Argument(metavar="STUDY")]


def status(
    study: Annotated[str | None, typer.Argument(metavar="[STUDY]", help="One study; none for all.")] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Keep the table up to date until Ctrl-C; without a terminal, print each change."),
    ] = False,
    form: AsFormat = Format.table,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Show studies: trials by state, the best, workers, time left.

    \b
    hpsearch status
    hpsearch status head-shrink --watch
    hpsearch status --format json
    """
    from search.studies import PassedOver
    from search.view.status import views

    store, passed_over = opened(storage), PassedOver(say)
    if watch:
        watch_on = _watch if sys.stdout.isatty() else _print_changes
        watch_on(lambda: views(store, study, passed_over=passed_over), is_one=study is not None)
    found = views(store, study, passed_over=passed_over)
    if form is Format.json:
        print_json([view.to_dict() for view in found])
    else:
        print_table(_rendered(found, is_one=study is not None))


def _watch(look: Callable[[], list[StudyView]], *, is_one: bool) -> NoReturn:
    from rich.live import Live

    with Live(auto_refresh=False) as live:
        while True:
            live.update(_rendered(look(), is_one=is_one, height=live.console.height), refresh=True)
            time.sleep(WATCH_SECONDS)


def _print_changes(look: Callable[[], list[StudyView]], *, is_one: bool) -> NoReturn:
    """Where there is no screen to redraw: the whole listing again whenever something has changed."""
    before = None
    while True:
        found = look()
        standing = [view.standing() for view in found]
        if standing != before:
            print_table(_rendered(found, is_one=is_one))
            sys.stdout.flush()
            before = standing
        time.sleep(WATCH_SECONDS)


def _rendered(found: list[StudyView], *, is_one: bool, height: int | None = None) -> RenderableType:
    from search.view.tables import studies_table, study_screen

    return study_screen(found[0], height) if is_one else studies_table(found)


def best(study: StudyName, form: AsFormat = Format.table, storage: Storage = DEFAULT_STORAGE) -> None:
    """Show the best trial.

    It may be one that is being trained; `export` takes the best of those that wait or have ended.

    \b
    hpsearch best head-shrink
    hpsearch best head-shrink --format json
    """
    from search.study import Study
    from search.view.status import best_to_dict
    from search.view.tables import best_screen

    data = best_to_dict(Study(opened(storage), study))
    if form is Format.json:
        print_json(data)
    else:
        print_table(best_screen(data))


def show(
    study: StudyName,
    trial: Annotated[int, typer.Argument(metavar="TRIAL")],
    form: AsFormat = Format.table,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Show one trial: its curve, how it ended and why.

    And its parameters, its signs of life, and where its time went.

    \b
    hpsearch show head-shrink 3
    hpsearch show head-shrink 3 --format json
    """
    from search.study import Study
    from search.view.status import show_to_dict
    from search.view.tables import trial_screen

    data = show_to_dict(Study(opened(storage), study), trial)
    if form is Format.json:
        print_json(data)
    else:
        print_table(trial_screen(data))


def late_results(study: StudyName, form: AsFormat = Format.table, storage: Storage = DEFAULT_STORAGE) -> None:
    """Show values that came too late to be accepted.

    A worker that was suspended or cut off for longer than its lease loses its trial to another one.
    What it had computed is kept here and counts for nothing.

    \b
    hpsearch late-results head-shrink
    hpsearch late-results head-shrink --format json
    """
    from search.study import Study
    from search.view.late import LATE_COLUMNS, late_row, late_to_list
    from search.view.tables import listing

    data = late_to_list(Study(opened(storage), study))
    if form is Format.json:
        print_json(data)
    else:
        print_table(listing(LATE_COLUMNS, [late_row(entry) for entry in data]))
