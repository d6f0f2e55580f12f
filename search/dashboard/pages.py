"""What the gate says itself: to strangers, to pages of other origins, and to whoever signs in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.dashboard.visit import Visit

UNSIGNED = (
    "this needs the token: open the link that `hpsearch dashboard` printed, or send `Authorization: Bearer TOKEN`"
)
READ_ONLY = "this dashboard only shows; to change studies from here, start `hpsearch dashboard --allow-changes`"
NAME_CURE = "open it as 127.0.0.1 or localhost, or start it with --name NAME"

_FORBIDDEN = "403 Forbidden"
_POLICY = ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>hpsearch dashboard</title>{head}</head>
<body style="font: 16px/1.5 sans-serif; max-width: 36em; margin: 15vh auto">{body}</body></html>
"""
_ASK = """<h1>hpsearch dashboard</h1>
<p>This page needs the token: open the link that <code>hpsearch dashboard</code> printed, or type the token here.</p>
<form action="/" method="get"><input type="password" name="token" autocomplete="off" autofocus aria-label="token">
<button>Open</button></form>"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def welcome(cookie: str, value: str) -> Answer:
    """Give the cookie to whoever came by the link, and lead on to an address without the token.

    By a page, not a redirect: after a click on another site a browser does not send the new
    cookie (SameSite=Strict) before a page of ours is open.
    """
    head = '<meta http-equiv="refresh" content="0; url=/dashboard">'
    body = '<p><a href="/dashboard">To the dashboard</a></p>'
    given = ("Set-Cookie", f"{cookie}={value}; HttpOnly; SameSite=Strict; Path=/")
    return _page("200 OK", head, body, given, ("Cache-Control", "no-store"))


def stranger(visit: Visit) -> Answer:
    """Ask for the token: by a form where a person looks, else by a sentence."""
    if visit.wants_page:
        return _page(_FORBIDDEN, "", _ASK)
    return refused(visit, UNSIGNED)


def refused(visit: Visit, reason: str) -> Answer:
    """Say why not; scripts get it as optuna-dashboard's own errors, whose pages show it."""
    if visit.wants_page:
        return _page(_FORBIDDEN, "", f"<h1>hpsearch dashboard</h1><p>{escape(reason)}</p>")
    body = json.dumps({"reason": reason}).encode()
    return _answer(_FORBIDDEN, "application/json", body)


def not_found() -> Answer:
    """There is no such file."""
    return _answer("404 Not Found", "application/json", json.dumps({"reason": "there is no such artifact"}).encode())


def _page(status: str, head: str, body: str, *headers: tuple[str, str]) -> Answer:
    return _answer(status, "text/html; charset=utf-8", _PAGE.format(head=head, body=body).encode(), _POLICY, *headers)


def _answer(status: str, kind: str, body: bytes, *headers: tuple[str, str]) -> Answer:
    return Answer(
        status=status, headers=[("Content-Type", kind), ("Content-Length", str(len(body))), *headers], body=body
    )
