"""Answers that can do nothing: not to another page, and not from within an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.dashboard.visit import is_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
)
_ON_PAGES = (("Content-Security-Policy", "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),)
_ON_DATA = (("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),)
_ON_ARTIFACTS = (("Content-Disposition", "attachment"),)


class Inert:
    """A WSGI application around another one; it adds to its headers.

    Pages keep their own policy besides ours. All else, whatever its type, is shown without
    scripts, forms or an origin should a browser open it as a page; artifacts are saved instead of
    opened. No other origin may read an answer: optuna-dashboard lends artifacts to all of them.
    """

    def __init__(self, application: WSGIApplication) -> None:
        """Make what `application` answers inert."""
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        added = _added(str(environ.get("PATH_INFO", "")))

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            kept = [header for header in headers if not header[0].lower().startswith("access-control-")]
            return start_response(status, [*kept, *added], *error)

        return self._application(environ, start)


def _added(path: str) -> tuple[tuple[str, str], ...]:
    if is_page(path):
        return _ALWAYS + _ON_PAGES
    # A policy on a script that a page loads is not looked at: it would only matter in a page.
    kept_open = ("/static/", "/api/", "/csv/", "/favicon.ico")
    return _ALWAYS + _ON_DATA + (() if path.startswith(kept_open) else _ON_ARTIFACTS)
