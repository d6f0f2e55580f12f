"""Options that several commands share, and the ways commands print."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from storage.store import Store

STORAGE_VARIABLE = "HPSEARCH_STORAGE"
DEFAULT_STORAGE = "sqlite:///hpsearch.db"

Storage = Annotated[
    str,
    typer.Option(
        "--storage",
        envvar=STORAGE_VARIABLE,
        show_envvar=True,
        help="Where studies are kept: sqlite:///FILE or postgresql://USER@HOST/NAME. A password is better "
        "given by the variable than on the command line, where others can read it.",
    ),
]


class Format(StrEnum):
    """How a listing is printed."""

    table = "table"
    json = "json"


AsFormat = Annotated[Format, typer.Option("--format", help="A table to read, or JSON for a program.")]


def opened(storage: str, *, create: bool = False) -> Store:
    """Open the store that an option named; raises StorageError with cause and cure."""
    from storage.store import open_store

    return open_store(storage, create=create)


def print_json(data: Any) -> None:
    """Print data to stdout, as JSON."""
    print(json.dumps(data, indent=2))  # noqa: T201


def print_table(renderable: RenderableType) -> None:
    """Print a table to stdout; as wide as it needs where stdout is no terminal."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(renderable)
    else:
        from search.view.plain import plain

        print(plain(renderable))  # noqa: T201


def talk() -> Console:
    """The console for talk and progress: stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def say(text: str) -> None:
    """Print to stderr what was done or comes next: as it is, but for what a terminal would obey."""
    from search.texts import clean_lines

    talk().out(clean_lines(text))
