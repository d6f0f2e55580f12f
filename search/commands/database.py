"""`hpsearch db check` and `hpsearch db upgrade`."""

from __future__ import annotations

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, suggest_commands=False)


@app.callback()
def database() -> None:
    """The store's schema: is it current, and make it so.

    \b
    hpsearch db check
    hpsearch db upgrade
    """


@app.command()
def check(storage: Storage = DEFAULT_STORAGE) -> None:
    """Say whether the store's schema is current; changes nothing.

    \b
    hpsearch db check
    """
    from search.errors import SearchError
    from storage.store import check_schema

    state = check_schema(storage)
    if not state.is_current:
        raise SearchError(state.why)
    say("the schema is current")


@app.command()
def upgrade(storage: Storage = DEFAULT_STORAGE) -> None:
    """Bring the store's schema up to date, under a lock.

    Make a copy of the database before; nothing else of hpsearch changes a schema that exists.

    \b
    hpsearch db upgrade
    """
    from storage.store import upgrade_schema

    for step in upgrade_schema(storage) or ("the schema was current already",):
        say(step)
