"""`hpsearch db check` and `hpsearch db upgrade`."""

from __future__ import annotations

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, talk

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(storage: Storage = DEFAULT_STORAGE) -> None:
    """Say whether the store's schema is current; changes nothing.

    \b
    hpsearch db check
    """
    from storage.schema import check_schema

    talk().print(check_schema(storage))


@app.command()
def upgrade(storage: Storage = DEFAULT_STORAGE) -> None:
    """Bring the store's schema up to date, under a lock.

    Make a copy of the database before; nothing else of hpsearch changes a schema that exists.

    \b
    hpsearch db upgrade
    """
    from storage.schema import upgrade_schema

    talk().print(upgrade_schema(storage))
