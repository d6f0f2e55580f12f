"""The gate: which requests reach the dashboard, and what the others are told."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.dashboard import pages
from search.dashboard.visit import Visit, cookie_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from search.dashboard.token import Token

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^:\[\]]+)(?::\d{1,5})?")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_LOOKING = ("GET", "HEAD")
"""Every route of optuna-dashboard that changes something has another method; a test goes through them."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """Who may come in, and what they may do."""

    token: Token
    hosts: tuple[str, ...] = ()
    """Names and addresses besides loopback's under which browsers reach the dashboard."""
    allows_changes: bool = False

    def is_known(self, host: str) -> bool:
        """Whether a `Host` header names this dashboard, on whatever port a tunnel gave it.

        Another name means that somebody's page had its own name point to this machine (DNS rebinding).
        """
        match = _HOST.fullmatch(host)
        return match is not None and match["name"] in (*_LOOPBACK, *map(in_address, self.hosts))


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def in_address(host: str) -> str:
    """The host to open in a browser for one to listen on: loopback for "every address", IPv6 in brackets."""
    opened = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  nothing listens here
    return f"[{opened}]" if ":" in opened else opened.lower()


class Gate:
    """A WSGI application around another one; it lets in who knows the token."""

    def __init__(self, application: WSGIApplication, door: Door) -> None:
        """Guard `application` by the rules of `door`."""
        self._application = application
        self._door = door

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        visit = Visit.of(environ)
        answer = self._answer(visit)
        if answer is None:
            return self._application(environ, start_response)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _answer(self, visit: Visit) -> pages.Answer | None:
        """What the gate itself answers; None for what may pass."""
        if not self._door.is_known(visit.host):
            return pages.refused(visit, f"this dashboard is not called {visit.host!r}: {pages.NAME_CURE}")
        if not _is_own(visit):
            return pages.refused(visit, "a page of another origin asked for this; only the dashboard's own pages may")
        if visit.method == "GET" and self._door.token.is_text(visit.link_token):
            return pages.welcome(cookie_name(visit.host), self._door.token.cookie)
        if not self._is_known(visit):
            return pages.stranger(visit)
        if visit.method not in _LOOKING and not self._door.allows_changes:
            return pages.refused(visit, pages.READ_ONLY)
        return None

    def _is_known(self, visit: Visit) -> bool:
        token = self._door.token
        return token.is_cookie(visit.cookie) or token.is_text(visit.bearer_token)


def _is_own(visit: Visit) -> bool:
    """Whether no page of another origin has a part in the request.

    The cookie's SameSite does not tell: for browsers all ports of a host are one site.
    """
    if visit.origin and visit.origin not in (f"http://{visit.host}", f"https://{visit.host}"):
        return False
    return visit.fetch_site in ("", "none", "same-origin") or (visit.method == "GET" and visit.is_opened)
