"""`hpsearch dashboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, opened, talk


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for any free one.")] = 8080,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Show all studies in a browser, on this machine only, until Ctrl-C.

    \b
    hpsearch dashboard
    hpsearch dashboard --port 9000
    """
    from search import dashboard as pages

    server = pages.serve(opened(storage), port)
    talk().print(f"dashboard: http://127.0.0.1:{server.server_port}/   (Ctrl-C ends it)")
    server.serve_forever()
