"""The server: the dashboard on an address of this machine."""

from __future__ import annotations

import socket
import socketserver
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from search.dashboard.app import application
from search.dashboard.gate import is_loopback
from search.errors import SearchError, UsageError

if TYPE_CHECKING:
    from search.dashboard.gate import Door
    from storage.store import Store


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread a request: a browser keeps several connections open."""

    daemon_threads = True


class _ServerV6(_Server):
    """The same on an address of IPv6."""

    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    """Says nothing of single requests: the first one of a browser has the token in it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Drop the line."""


def serve(store: Store, host: str, port: int, door: Door) -> WSGIServer:
    """Bind the dashboard to an address of this machine; the caller runs `serve_forever`.

    Args:
        store: whose studies are shown.
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        door: who may come in.

    Raises:
        UsageError: for an address that others reach, where nobody has chosen the token.
        SearchError: if the port is taken.
    """
    if not is_loopback(host) and not door.token.is_given:
        raise UsageError(
            "the dashboard must listen on 127.0.0.1, where this machine alone reaches it, unless it has a token of "
            f"your own, but got --host {host} without --token-file; make one with openssl rand -hex 24"
        )
    server_class = _ServerV6 if ":" in host else _Server
    try:
        return make_server(host, port, application(store, door), server_class=server_class, handler_class=_Quiet)
    except OSError as error:
        raise SearchError(
            f"port {port} of {host} cannot be used ({error.strerror}); try --port {port + 1}, or --port 0"
        ) from error
