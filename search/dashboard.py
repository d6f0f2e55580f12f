"""optuna-dashboard over a store and its artifacts, on loopback."""

from __future__ import annotations

import socketserver
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from search.errors import SearchError

if TYPE_CHECKING:
    from storage.store import Store

HOST = "127.0.0.1"  # no login yet: nobody else may reach it


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread a request: a browser keeps several connections open."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Says nothing of single requests."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Drop the line."""


def serve(store: Store, port: int) -> WSGIServer:
    """Bind the dashboard to a port of this machine; the caller runs `serve_forever`.

    Raises:
        SearchError: if the port is taken.
    """
    from optuna.artifacts import FileSystemArtifactStore
    from optuna_dashboard import wsgi

    store.files.artifacts.mkdir(parents=True, exist_ok=True)
    application = wsgi(store.optuna, artifact_store=FileSystemArtifactStore(store.files.artifacts))
    try:
        return make_server(HOST, port, application, server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise SearchError(
            f"port {port} of {HOST} cannot be used ({error.strerror}); try --port {port + 1}, or --port 0"
        ) from error
