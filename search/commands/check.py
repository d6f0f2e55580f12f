"""`hpsearch space list` and `hpsearch space check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from search.commands.options import AsFormat, Format, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, suggest_commands=False)


@app.callback()
def space() -> None:
    """Space files: those that ship, and is one of yours right.

    \b
    hpsearch space list
    hpsearch space check spaces/mine.yaml
    """


@app.command("list")
def list_(form: AsFormat = Format.table) -> None:
    """List the space files that ship, and what each searches.

    \b
    hpsearch space list
    hpsearch space list --format json
    """
    from search.view.space import shipped_table, shipped_to_dicts

    found = shipped_to_dicts()
    if form is Format.json:
        print_json(found)
    else:
        print_table(shipped_table(found))


@app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE_OR_NAME", help="A space file, or the name of a shipped one.")],
    sizes: Annotated[
        bool,
        typer.Option("--sizes/--no-sizes", help="Also build the smallest and the largest model (seconds)."),
    ] = True,
    form: AsFormat = Format.table,
) -> None:
    """Print what a space file searches, or all that is wrong with it.

    And how large its models are.

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
