"""`hpsearch worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, opened
from search.durations import parse_option


def worker(
    studies: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDY]...", help="Studies to serve; none for every open one."),
    ] = None,
    drain: Annotated[bool, typer.Option("--drain", help="End when there is no work, instead of waiting.")] = False,
    max_trials: Annotated[int | None, typer.Option(min=1, help="End after so many trials.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads for training; default: this machine's cores shared out."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Where this machine has the data, if not where the study says.")
    ] = None,
    lease: Annotated[
        str, typer.Option(metavar="DURATION", help="Without a sign of life for so long, a worker loses its trial.")
    ] = "60s",
    stall: Annotated[
        str, typer.Option(metavar="DURATION", help="A trainer that says nothing for so long is replaced.")
    ] = "30m",
    disk_floor: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="GIB",
            envvar="HPSEARCH_DISK_FLOOR",
            show_envvar=True,
            help="Take no trial while less is free for checkpoints; the variable is for those of `start`, too.",
        ),
    ] = 1.0,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Take trials of a study or of every open one, fairest first.

    Start as many as you like, here or on other machines that reach the same store. Ctrl-C,
    SIGTERM or SIGHUP gives the running trial back, where it stood, for another worker to
    continue; a second one, two seconds later or more, leaves at once.

    \b
    hpsearch worker                        every open study, until Ctrl-C
    hpsearch worker head-shrink --drain    one study, until there is nothing left to do
    HPSEARCH_STORAGE=postgresql://me@db/hpsearch hpsearch worker
    """
    from search import machine
    from search.commands.logs import log_to_terminal
    from search.worker.orders import Orders
    from search.worker.patience import until_free
    from search.worker.worker import Worker

    log_to_terminal()
    orders = Orders(
        studies=tuple(studies or ()),
        drain=drain,
        max_trials=max_trials,
        threads=threads or machine.shares().threads,
        data=data,
        lease=parse_option("--lease", lease),
        stall=parse_option("--stall", stall),
        disk_floor=int(disk_floor * 2**30),
    )
    store = until_free(lambda: opened(storage, create=not studies))
    try:
        Worker(store, orders).run()
    finally:
        store.close()
