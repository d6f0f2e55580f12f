"""`hpsearch data list` and `hpsearch data fetch`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from search.calling import as_called
from search.commands.options import AsFormat, Format, print_json, print_table, say, talk

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, suggest_commands=False)


@app.callback()
def data() -> None:
    """Data sources: which there are, and how they come here.

    \b
    hpsearch data list
    hpsearch data fetch emnist-balanced
    """


@app.command("list")
def list_(form: AsFormat = Format.table) -> None:
    """List the data sources, and which are on disk.

    \b
    hpsearch data list
    HPSEARCH_DATA=/data hpsearch data list --format json
    """
    from rich.table import Table
    from rich.text import Text

    from search.training.data.emnist import default_data_folder
    from search.training.data.sources import list_sources

    rows = list_sources(default_data_folder())
    if form is Format.json:
        print_json([asdict(row) for row in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("source", "on disk", "training", "test", "classes", "where, or how to get it"):
        table.add_column(column, overflow="fold")
    for row in rows:
        counts = (row.n_train, row.n_test, row.n_classes)
        on_disk = {True: "yes", False: "no", None: ""}[row.on_disk]
        shown = ("" if n is None else f"{n:,}" for n in counts)
        table.add_row(Text(row.source), on_disk, *shown, Text(as_called(row.place)))
    print_table(table)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as emnist-balanced.")],
) -> None:
    """Download a data source; an interrupted download is resumed.

    \b
    hpsearch data fetch emnist-balanced
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from search.errors import SearchError
    from search.training.data.emnist import default_data_folder
    from search.training.data.errors import DataError
    from search.training.data.fetch import fetch as fetch_source

    console = talk()
    bar = Progress(
        "fetching", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), console=console
    )
    task = bar.add_task("fetching", total=None)

    def show(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        place = fetch_source(name, default_data_folder(), progress=show)
    except DataError as error:
        raise SearchError(str(error)) from error
    finally:
        bar.stop()
    say(f"{name} is in {place}")
