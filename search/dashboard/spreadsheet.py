"""The table of all trials for a spreadsheet, in which no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/csv/"

_FORMULA = re.compile(r"\s*[=+\-@]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Spreadsheet:
    """A WSGI application around optuna-dashboard; it rewrites what its CSV download answers."""

    def __init__(self, application: WSGIApplication) -> None:
        """Rewrite the tables of `application`; all else passes."""
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not str(environ.get("PATH_INFO", "")).startswith(PREFIX):
            return self._application(environ, start_response)
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            begun[:] = [status, headers, *error]
            return lambda _: None

        body = b"".join(self._application(environ, start))
        status, headers, *error = begun
        if str(status).startswith("200"):
            body = harmless(body.decode()).encode()
            headers = [
                ("Content-Type", "text/csv; charset=utf-8"),
                ("Content-Disposition", "attachment; filename=trials.csv"),
                ("Content-Length", str(len(body))),
            ]
        start_response(status, headers, *error)
        return [body]


def harmless(text: str) -> str:
    """A CSV text with an apostrophe before each cell that a spreadsheet would calculate.

    Control characters become spaces, so a row stays a line. Numbers stay numbers.
    """
    written = io.StringIO()
    writer = csv.writer(written)
    for row in csv.reader(io.StringIO(text, newline="")):
        writer.writerow([_cell(cell) for cell in row])
    return written.getvalue()


def _cell(text: str) -> str:
    cleaned = _CONTROL.sub(" ", text)
    is_formula = _FORMULA.match(cleaned) and not _NUMBER.fullmatch(cleaned)
    return f"'{cleaned}" if is_formula else cleaned
