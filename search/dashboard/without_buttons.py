"""Pages without the buttons that a dashboard refuses which only shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.dashboard.pages import READ_ONLY
from search.dashboard.visit import is_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_BUTTONS = ("rename study", "delete study", "delete artifact", "skip trial")
"""Labels of buttons in optuna-dashboard's pages that change something."""
_ICONS = ("AddBoxIcon", "EditIcon", "StopCircleIcon")
"""Icons of those without a label: to create a study, to edit a note, to fail a trial."""
_CARD = "UploadFileIcon"
"""The icon on the card that takes a file."""


class WithoutButtons:
    """A WSGI application around optuna-dashboard; it adds a style to its pages that hides what would be refused.

    The page says at its foot why, and what to do. Requests are refused all the same, see `search.dashboard.gate`.
    """

    def __init__(self, application: WSGIApplication) -> None:
        """Add to the pages of `application`; all else passes."""
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] != "GET" or not is_page(str(environ.get("PATH_INFO", ""))):
            return self._application(environ, start_response)
        # A page that a browser has kept from a dashboard that allowed changes has the buttons.
        asked = {key: value for key, value in environ.items() if not key.startswith("HTTP_IF_")}
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            begun[:] = [status, headers, *error]
            return lambda _: None

        answer = self._application(asked, start)
        body = b"".join(answer).replace(b"</head>", _style().encode() + b"</head>", 1)
        if close := getattr(answer, "close", None):
            close()
        status, headers, *error = begun
        kept = [header for header in headers if header[0].lower() not in ("content-length", "last-modified", "etag")]
        start_response(status, [*kept, ("Content-Length", str(len(body))), ("Cache-Control", "no-cache")], *error)
        return [body]


def _style() -> str:
    hidden = [
        *(f'button[aria-label="{label}"]' for label in _BUTTONS),
        *(f'button:has([data-testid="{icon}"])' for icon in _ICONS),
        f'.MuiCard-root:not(:has(.MuiCard-root)):has([data-testid="{_CARD}"])',  # not the card around all artifacts
    ]
    foot = (
        "position: fixed; right: 0; bottom: 0; padding: 2px 8px; font: 12px sans-serif; color: #555; background: #eee"
    )
    return f'<style>{", ".join(hidden)} {{ display: none }} body::after {{ content: "{READ_ONLY}"; {foot} }}</style>'
