"""Requests to the dashboard's application, without a server."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

from search.dashboard.token import Token

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1:8080"
TOKEN = Token(text="0123456789abcdef", is_given=True)
COOKIE = f"hpsearch-8080={TOKEN.cookie}"


@dataclass(frozen=True)
class Got:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    policies: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """What a refusal says."""
        return json.loads(self.body)["reason"]


def visit(
    application: WSGIApplication, path: str, method: str = "GET", data: Any = None, *, query: str = "",
    cookie: str | None = COOKIE, host: str = HOST, **headers: str,
) -> Got:  # fmt: skip
    """Ask as a browser that has the cookie does; `headers` by their names, `_` for `-`."""
    body = b"" if data is None else json.dumps(data).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": host,
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "HTTP_ACCEPT_ENCODING": "",
    }  # fmt: skip
    if cookie is not None:
        environ["HTTP_COOKIE"] = cookie
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    begun: list[Any] = []
    answered = application(environ, lambda *args: begun.extend(args))
    try:
        whole = b"".join(answered)
    finally:
        if hasattr(answered, "close"):
            answered.close()
    policies = [value for name, value in begun[1] if name == "Content-Security-Policy"]
    return Got(int(begun[0].split()[0]), dict(begun[1]), whole, policies)
