"""`hpsearch dashboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, opened, talk


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for any free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    without_login: Annotated[
        bool,
        typer.Option("--without-login", help="Allow another address, though everybody there can change everything."),
    ] = False,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Show all studies in a browser, on this machine only.

    Until Ctrl-C. What optuna-dashboard calls a running trial may be a paused one: its note says so.

    \b
    hpsearch dashboard
    hpsearch dashboard --port 9000
    """
    from search import dashboard as pages

    server = pages.serve(opened(storage), host, port, without_login=without_login)
    talk().print(f"dashboard: http://{host}:{server.server_port}/   (Ctrl-C ends it)")
    server.serve_forever()
