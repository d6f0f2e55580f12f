"""`hpsearch space check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from search.commands.options import AsFormat, Format, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def space() -> None:
    """Space files."""


@app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE_OR_NAME", help="A space file, or the name of a shipped one.")],
    sizes: Annotated[
        bool,
        typer.Option("--sizes/--no-sizes", help="Also build the smallest and the largest model (seconds)."),
    ] = True,
    form: AsFormat = Format.table,
) -> None:
    """Print what a space file searches, and the size of its models; or all that is wrong with it.

    \b
    hpsearch space check head_shrink
    hpsearch space check spaces/mine.yaml --no-sizes
    """
    from spaces.library import find_space
    from spaces.reader import read_space

    read = read_space(find_space(file))
    from search.errors import SearchError
    from search.view.space import measured, rows_to_dicts, space_screen

    if sizes:
        say("building the smallest and the largest model …")
    try:
        extremes = measured(read) if sizes else []
    except SearchError:
        if form is Format.table:
            print_table(space_screen(read, []))  # the file is good, whatever its data are
        raise
    if form is Format.json:
        print_json(
            {"study": read.study, "parameters": rows_to_dicts(read), "models": [asdict(one) for one in extremes]}
        )
    else:
        print_table(space_screen(read, extremes))
