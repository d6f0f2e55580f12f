"""`hpsearch start`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Annotated

import typer

from search.calling import program
from search.commands.options import DEFAULT_STORAGE, Storage, opened, say
from search.errors import INTERRUPTED


def start(
    space: Annotated[str, typer.Option(help="A space file, or the name of one that ships with hpsearch.")],
    study: Annotated[str | None, typer.Option(help="Name of the study; default: the one in the space file.")] = None,
    data: Annotated[str | None, typer.Option(help="Data source instead of the space file's.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials in all, over every start and worker.")] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Time from now, such as 90s, 30m or 8h; it also covers what the end takes."
        ),
    ] = None,
    workers: Annotated[
        str,
        typer.Option(help="Workers on this machine; `auto` shares its cores out, 0 only creates the study."),
    ] = "auto",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the space file, such as budget.epochs=9."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is proposed, and each trial's own seed.")] = 0,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Search a space: create the study, or carry on with it.

    Starts workers on this machine, and shows a live table until the budget is used up. A little
    before the time is up (a tenth of it, a minute at most) running trials end with what they have,
    which counts, and paused ones are kept. Ctrl-C, SIGTERM and SIGHUP end in order: running
    trials are given back where they stood. After either, the same command carries on.

    \b
    hpsearch start --space head_shrink --data mnist-5k --timeout 10m
    hpsearch start --space spaces/mine.yaml --study second-try --set budget.epochs=9
    hpsearch start --space head_shrink --workers 0     only create it; workers join from elsewhere
    """
    from search.request import Request

    request = Request.of(
        space=space, study=study, data=data, trials=trials, timeout=timeout, workers=workers,
        settings=tuple(settings or ()), seed=seed,
    )  # fmt: skip
    say(f"reading {request.space.data.source} …")
    from search.data import described, summary

    found, holds = described(request.space)  # before anything is written
    request = replace(request, space=found)
    say(summary(holds))

    from search import crew
    from search.commands.end import conclude
    from search.preparation import prepare

    store = opened(storage, create=True)
    try:
        begun = prepare(store, request, holds, say)
        if request.workers == 0:
            say(f"study {begun.name} is ready; start workers with: {program()} worker {shlex.quote(begun.name)}")
            return
        ran = crew.run(store, begun, request, say)
        conclude(ran.view, storage, has_test=holds.n_test > 0, is_interrupted=ran.is_interrupted)
    finally:
        store.close()
    if ran.is_interrupted:
        raise typer.Exit(INTERRUPTED)
