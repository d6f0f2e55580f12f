"""The command line: which commands there are. What they do is imported when one is called."""

from __future__ import annotations

from typing import Annotated

import typer

from search.commands import change, check, data, database, doctor, look, model, start, web, worker


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"hpsearch {version('hpsearch')}")  # noqa: T201
        raise typer.Exit


app = typer.Typer(
    name="hpsearch",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    suggest_commands=False,  # Click suggests them already
)


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hyperparameter search for Keras image classifiers.

    \b
    Begin with:
      hpsearch start --space head_shrink --data mnist-5k --timeout 10m
    """


app.command()(start.start)
app.command()(worker.worker)
app.command()(look.status)
app.command()(look.best)
app.command()(look.show)
app.command()(look.late_results)
app.command()(change.enqueue)
app.command()(change.stop)
app.command()(web.dashboard)
app.command()(model.export)
app.command()(model.evaluate)
app.command()(doctor.doctor)

for group, name in ((check.app, "space"), (data.app, "data"), (database.app, "db")):
    app.add_typer(group, name=name)
