"""The dashboard's locks, S1 to S4: the real optuna-dashboard over real stores."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import sqlalchemy as sa
from doors_visits import COOKIE, HOST, TOKEN, visit
from optuna.artifacts import FileSystemArtifactStore, upload_artifact

from search.dashboard.app import application
from search.dashboard.gate import Door
from search.dashboard.server import serve
from search.dashboard.token import Token
from search.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store

SCRIPT = "<script>document.title = 'ran'</script>"
PICTURES = {"evil.html": SCRIPT, "evil.svg": f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>"}


@dataclass(frozen=True)
class Scene:
    """A study with a trial that runs, and artifacts of both."""

    store: Store
    study: int
    trial: int
    artifacts: dict[str, str]

    def fill(self, rule: str) -> str:
        """A path that a route of optuna-dashboard takes."""
        artifact = self.artifacts["trial.txt" if "<trial_id" in rule else "study.txt"]
        known = {"study_id": self.study, "trial_id": self.trial, "artifact_id": artifact, "plot_type": "slice"}
        return re.sub(r"<(\w*):?[^>]*>", lambda found: str(known.get(found[1], "x" if found[1] else "")), rule)

    def snapshot(self) -> dict[str, Any]:
        """Everything in the store."""
        with self.store.engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            rows = {name: connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall() for name in tables}
        found: dict[str, Any] = {name: sorted(map(repr, kept)) for name, kept in rows.items()}
        return found | {path.name: path.read_bytes() for path in self.store.files.artifacts.iterdir()}

    def application(self, *, allows_changes: bool = False) -> Any:
        return application(self.store, Door(token=TOKEN, allows_changes=allows_changes))


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    study = optuna.create_study(storage=store.optuna, study_name="quick", direction="maximize")
    trial = study.ask({"width": optuna.distributions.IntDistribution(1, 9)})
    kept = FileSystemArtifactStore(store.files.artifacts)
    artifacts = {}
    for name, text in {**PICTURES, "trial.txt": "text", "study.txt": "text"}.items():
        file = tmp_path / name
        file.write_text(text)
        owner = study if name == "study.txt" else trial
        artifacts[name] = upload_artifact(artifact_store=kept, file_path=str(file), study_or_trial=owner)
    return Scene(store, study._study_id, trial._trial_id, artifacts)


def routes(scene: Scene) -> list[tuple[str, str]]:
    """Method and path of every route of optuna-dashboard, and of one that it does not have."""
    from optuna_dashboard import wsgi

    found = [(route.method, scene.fill(route.rule)) for route in wsgi(scene.store.optuna).routes]
    assert len(found) > 25
    return [*found, ("GET", "/nothing"), ("PATCH", "/api/studies"), ("post", "/api/studies")]


CHANGES: list[tuple[str, str, Any]] = [
    ("POST", "/api/studies", {"study_name": "another", "directions": ["maximize"]}),
    ("POST", "/api/studies/<study_id>/rename", {"study_name": "renamed"}),
    ("PUT", "/api/studies/<study_id>/note", {"version": 1, "body": "mine"}),
    ("PUT", "/api/studies/<study_id>/<trial_id>/note", {"version": 1, "body": "mine"}),
    ("POST", "/api/trials/<trial_id>/user-attrs", {"user_attrs": {"mine": 1}}),
    ("POST", "/api/trials/<trial_id>/tell", {"state": "complete", "values": [1.0]}),
    ("POST", "/api/trials/<trial_id>/tell", {"state": "fail"}),
    ("POST", "/api/artifacts/<study_id>/<trial_id>", {"file": "data:text/plain;base64,bWluZQ==", "filename": "a"}),
    ("DELETE", "/api/artifacts/<study_id>/<artifact_id>", None),
    ("DELETE", "/api/studies/<study_id>", {}),
]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "dashboard.example.org", ""])
def test_s01_address_others_reach_needs_a_token_of_ones_own(store: Store, host: str):
    with pytest.raises(UsageError, match=f"but got --host {host} without --token-file"):
        serve(store, host, 0, Door(token=Token.new()))


def test_s01_address_others_reach_with_a_token_listens(store: Store):
    with serve(store, "0.0.0.0", 0, Door(token=TOKEN)) as server:
        assert server.server_port > 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_s01_loopback_needs_no_token_of_ones_own(store: Store, host: str):
    with serve(store, host, 0, Door(token=Token.new())) as server:
        assert server.server_address[0].startswith("127.")


STRANGERS: dict[str, dict[str, Any]] = {
    "no token": {"cookie": None},
    "wrong cookie": {"cookie": "hpsearch-8080=0"},
    "the token as cookie": {"cookie": f"hpsearch-8080={TOKEN.text}"},
    "another dashboard's cookie": {"cookie": f"hpsearch-8081={TOKEN.cookie}"},
    "wrong token in the link": {"cookie": None, "query": "token=0123456789abcdeg"},
    "wrong bearer": {"cookie": None, "authorization": "Bearer x"},
    "rebound name": {"host": "evil.example.org:8080"},
    "a name that begins alike": {"host": "127.0.0.1.evil.example.org"},
    "no host": {"host": ""},
    "foreign origin": {"origin": "http://evil.example.org"},
    "another port's origin": {"origin": "http://127.0.0.1:9999"},
    "hidden origin": {"origin": "null"},
    "a foreign page's picture or script": {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
    "another port's picture or script": {"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors"},
    "a foreign page's frame": {
        "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe",
    },
}  # fmt: skip


def test_s02_stranger_is_refused_on_every_route(scene: Scene):
    before = scene.snapshot()

    for allows_changes in (False, True):
        guarded = scene.application(allows_changes=allows_changes)
        for stranger, headers in STRANGERS.items():
            for method, path in routes(scene):
                got = visit(guarded, path, method, {}, **headers)
                assert got.status == 403, (stranger, method, path)
                assert b"quick" not in got.body

    assert scene.snapshot() == before


def test_s02_link_gives_the_cookie_that_opens_everything(scene: Scene):
    guarded = scene.application()

    welcome = visit(guarded, "/", cookie=None, query=f"token={TOKEN.text}", sec_fetch_site="cross-site",
                    sec_fetch_mode="navigate", sec_fetch_dest="document")  # fmt: skip

    assert welcome.status == 200
    assert welcome.headers["Set-Cookie"] == f"{COOKIE}; HttpOnly; SameSite=Strict; Path=/"
    assert b"url=/dashboard" in welcome.body
    assert TOKEN.text.encode() not in welcome.body
    assert json.loads(visit(guarded, "/api/studies").body)["study_summaries"][0]["study_name"] == "quick"


@pytest.mark.parametrize("host", [HOST, "localhost:8080", "[::1]:8080", "lab.example.org:8080", "127.0.0.1:9000"])
def test_s02_known_name_is_let_in_on_any_port(scene: Scene, host: str):
    guarded = application(scene.store, Door(token=TOKEN, hosts=("Lab.Example.org",)))
    bearer = {"cookie": None, "authorization": f"Bearer {TOKEN.text}", "origin": f"http://{host}"}

    assert visit(guarded, "/api/studies", host=host, **bearer).status == 200


def test_s02_every_change_is_denied_by_default(scene: Scene):
    guarded = scene.application()
    before = scene.snapshot()

    for method, path in routes(scene):
        got = visit(guarded, path, method, {}, origin=f"http://{HOST}", sec_fetch_site="same-origin")
        assert (got.status == 403) is (method != "GET"), (method, path)
        if method != "GET":
            assert "this dashboard only shows" in got.reason

    assert scene.snapshot() == before


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]} {change[1]} {change[2]}")
def test_s04_change_to_a_running_trial_is_refused_unless_allowed(scene: Scene, change: tuple[str, str, Any]):
    method, rule, data = change
    before = scene.snapshot()

    refused = visit(scene.application(), scene.fill(rule), method, data, origin=f"http://{HOST}")
    after = scene.snapshot()
    allowed = visit(scene.application(allows_changes=True), scene.fill(rule), method, data, origin=f"http://{HOST}")

    assert refused.status == 403
    assert refused.reason == (
        "this dashboard only shows; to change studies from here, start `hpsearch dashboard --allow-changes`"
    )
    assert after == before
    assert allowed.status in (201, 204), allowed.body
    assert scene.snapshot() != before


@pytest.mark.parametrize("name", PICTURES)
def test_s03_artifact_that_could_act_is_inert(scene: Scene, name: str):
    got = visit(scene.application(), f"/artifacts/{scene.study}/{scene.trial}/{scene.artifacts[name]}")

    assert got.status == 200
    assert SCRIPT.encode() in got.body
    assert got.headers["Content-Disposition"] == "attachment"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert got.policies == ["sandbox; default-src 'none'; frame-ancestors 'none'"]
    assert "Access-Control-Allow-Origin" not in got.headers


def test_s03_pages_and_refusals_cannot_be_framed_or_read_elsewhere(scene: Scene):
    for path, cookie in (("/dashboard", COOKIE), ("/dashboard", None), ("/api/studies", COOKIE), ("/x", None)):
        got = visit(scene.application(), path, cookie=cookie)

        assert any("frame-ancestors 'none'" in policy for policy in got.policies)
        assert got.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in got.headers if name.startswith("Access-Control")]
