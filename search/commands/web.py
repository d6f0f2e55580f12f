"""`hpsearch dashboard`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search.commands.options import DEFAULT_STORAGE, Storage, opened, say


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for any free one.")] = 8080,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Let it change and delete studies, trials and notes.")
    ] = False,
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that others reach needs --token-file.")
    ] = "127.0.0.1",
    token_file: Annotated[
        Path | None,
        typer.Option(envvar="HPSEARCH_TOKEN_FILE", help="File with a token of your own; default: a new one each time."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="Another name by which browsers reach it; may be repeated.")
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Show all studies in a browser.

    Runs until Ctrl-C. A paused trial is listed as complete, with its best value so far; its note and its attribute
    `state` say that it is paused.

    The link that it prints opens it: without the token in there, no page is shown. Pages only show, unless
    --allow-changes lets them change things.

    \b
    hpsearch dashboard
    hpsearch dashboard --port 9000 --allow-changes
    """
    from search.dashboard.gate import Door, in_address
    from search.dashboard.server import serve
    from search.dashboard.token import Token

    token = Token.read(token_file) if token_file else Token.new()
    door = Door(token=token, hosts=(host, *(name or ())), allows_changes=allow_changes)
    server = serve(opened(storage), host, port, door)
    link = f"http://{in_address(host)}:{server.server_port}/"
    shown = f"{link} with the token in {token_file}" if token.is_given else f"{link}?token={token.text}"
    say(f"dashboard: {shown}   (Ctrl-C ends it)")
    server.serve_forever()
