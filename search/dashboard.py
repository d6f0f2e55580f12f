"""optuna-dashboard over a store and its artifacts, on loopback."""

from __future__ import annotations

import socketserver
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from search.errors import SearchError, UsageError

if TYPE_CHECKING:
    from storage.store import Store

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread a request: a browser keeps several connections open."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Says nothing of single requests."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Drop the line."""


def serve(store: Store, host: str, port: int, *, without_login: bool = False) -> WSGIServer:
    """Bind the dashboard to an address of this machine; the caller runs `serve_forever`.

    Args:
        store: whose studies are shown.
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        without_login: listen on an address that others reach, too. They can change and delete
            everything: only for a container whose port is published on loopback.

    Raises:
        UsageError: for such an address without `without_login`.
        SearchError: if the port is taken.
    """
    if host not in LOOPBACK and not without_login:
        raise UsageError(
            f"whoever reaches the dashboard can delete studies, so it must listen on {LOOPBACK[0]}, but got "
            f"--host {host}; in a container whose port is published on loopback only, add --without-login"
        )
    from optuna.artifacts import FileSystemArtifactStore
    from optuna_dashboard import wsgi

    store.files.artifacts.mkdir(parents=True, exist_ok=True)
    application = wsgi(store.optuna, artifact_store=FileSystemArtifactStore(store.files.artifacts))
    try:
        return make_server(host, port, application, server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise SearchError(
            f"port {port} of {host} cannot be used ({error.strerror}); try --port {port + 1}, or --port 0"
        ) from error
