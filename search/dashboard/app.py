"""The web application: optuna-dashboard over a store, and what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.dashboard import pages
from search.dashboard.gate import Gate
from search.dashboard.inert import Inert
from search.dashboard.spreadsheet import Spreadsheet
from search.dashboard.without_buttons import WithoutButtons

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from search.dashboard.gate import Door
    from storage.store import Store


def application(store: Store, door: Door) -> WSGIApplication:
    """optuna-dashboard over a store and its artifacts, for those whom `door` lets in."""
    from optuna_dashboard import wsgi

    from search.dashboard.artifacts import GuardedArtifacts
    from search.dashboard.shown_storage import ShownStorage

    inner = wsgi(ShownStorage(store.optuna), artifact_store=GuardedArtifacts(store.files))
    inner.catchall = False  # what goes wrong in it comes to us
    return guarded(_WithMissing(inner), door)


def guarded(inner: WSGIApplication, door: Door) -> WSGIApplication:
    """What stands around the dashboard: inert answers, then the gate, harmless tables, and no buttons in vain."""
    shown = inner if door.allows_changes else WithoutButtons(inner)
    return Inert(Gate(Spreadsheet(shown), door))


class _WithMissing:
    """Answers for an artifact whose file is gone, or is none: optuna-dashboard would fail."""

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        from optuna.artifacts.exceptions import ArtifactNotFound

        try:
            return self._inner(environ, start_response)
        except ArtifactNotFound:
            answer = pages.not_found()
            start_response(answer.status, answer.headers)
            return [answer.body]
