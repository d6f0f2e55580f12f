"""A request as the gate sees it."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BEARER = "Bearer "


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Who asks for what, as far as the request says; a header that is missing is empty."""

    method: str
    path: str
    host: str
    """With its port, as the browser's address bar has it."""
    origin: str
    """Of the page that asks; browsers send it with every change and every request to another origin."""
    fetch_site: str
    """`same-origin`, `same-site`, `cross-site`, or `none` for an address that a person typed or clicked elsewhere."""
    is_opened: bool
    """Whether the browser opens it as a page of its own, where the page that asked cannot look."""
    link_token: str
    bearer_token: str
    cookie: str

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> Self:
        """Read a request."""
        host = str(environ.get("HTTP_HOST", "")).lower()
        authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        return cls(
            method=str(environ["REQUEST_METHOD"]),
            path=str(environ.get("PATH_INFO", "")),
            host=host,
            origin=str(environ.get("HTTP_ORIGIN", "")).lower(),
            fetch_site=str(environ.get("HTTP_SEC_FETCH_SITE", "")),
            is_opened=(environ.get("HTTP_SEC_FETCH_MODE"), environ.get("HTTP_SEC_FETCH_DEST"))
            == ("navigate", "document"),
            link_token=query.get("token", [""])[0],
            bearer_token=authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else "",
            cookie=_cookie(str(environ.get("HTTP_COOKIE", "")), cookie_name(host)),
        )

    @property
    def wants_page(self) -> bool:
        """Whether a person looks at the answer, and not a script."""
        return self.method == "GET" and is_page(self.path)


def is_page(path: str) -> bool:
    """Whether an address is one of the dashboard's pages; all else is data, a file or a script."""
    return path in ("", "/", "/dashboard") or path.startswith("/dashboard/")


def cookie_name(host: str) -> str:
    """The cookie of one dashboard: browsers keep one jar for all ports of a host."""
    port = host.rpartition(":")[2]
    return f"hpsearch-{port if port.isdigit() else 80}"


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
