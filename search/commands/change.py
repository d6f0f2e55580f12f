"""`hpsearch enqueue` and `hpsearch stop`."""

from __future__ import annotations

from typing import Annotated

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, opened, say


def enqueue(
    study: Annotated[str, typer.Argument(metavar="STUDY")],
    values: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE...", help="Values of the point; what is left out takes its default."),
    ],
    name: Annotated[str | None, typer.Option(help="What to call the point.")] = None,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Try this point next; what is not named takes its default.

    The next new trial is this one. Paused ones go on first where they promise more for their seconds.

    \b
    hpsearch enqueue head-shrink architecture=DenseNet121 head_width=1024 learning_rate=1e-3
    """
    from search.queue import enqueue_point, obstacle
    from search.study import Study

    opened_study = Study(opened(storage), study)
    number, point = enqueue_point(opened_study, values, name)
    from search.view.tables import format_params

    say(f"trial {number} is queued: {format_params(point)}")
    if (why := obstacle(opened_study)) is not None:
        say(f"study {study} does not take it yet: {why}")


def stop(
    study: Annotated[str, typer.Argument(metavar="STUDY")],
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """End a study in order.

    Running trials end with what they have, paused ones as pruned.

    \b
    hpsearch stop head-shrink
    """
    from dataclasses import replace

    from search.study import Study
    from search.worker.closing import end_if_over

    opened_study = Study(opened(storage), study)
    with opened_study.deciding():
        if (control := opened_study.control()).ending is None:
            opened_study.set_control(replace(control, ending="stopping"))
    ended = end_if_over(opened_study)
    say(f"study {study} {'has ended' if ended else 'ends as soon as its running trials have'}")
