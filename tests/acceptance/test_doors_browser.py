"""What a page of another origin, and a page among the artifacts, can do in a real browser: nothing."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from browsing import PATIENCE, chromium, dashboard_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Shell
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

NAME = "<img src=x onerror=\"document.title='ran'\">"
DELETE = "fetch('/api/studies/1', {method: 'DELETE', body: '{}', headers: {'Content-Type': 'application/json'}})"
HTML = f"<!DOCTYPE html><title>quiet</title><script>document.title = 'ran'; {DELETE}</script>"
ATTACK = """async ([target, artifact]) => {
    const url = path => target + path;
    const came = {};
    const fetched = async (name, path, options) => {
        try {
            const got = await fetch(url(path), {credentials: 'include', ...options});
            came[name] = got.type === 'opaque' ? 'sent' : await got.text();
        } catch (error) { came[name] = 'blocked'; }
    };
    const loaded = (name, kind, path) => new Promise(done => {
        const element = document.createElement(kind);
        element.onload = () => { came[name] = 'loaded'; done(); };
        element.onerror = () => { came[name] = 'blocked'; done(); };
        element.src = url(path);
        document.body.append(element);
    });
    await fetched('read', 'api/studies');
    await fetched('delete', 'api/studies/1', {method: 'DELETE'});
    await fetched('tell', 'api/trials/1/tell', {
        method: 'POST', mode: 'no-cors', body: JSON.stringify({state: 'fail'}), headers: {'Content-Type': 'text/plain'},
    });
    await loaded('picture', 'img', artifact);
    await loaded('script', 'script', 'api/studies');
    const form = document.createElement('form');
    form.method = 'post'; form.enctype = 'text/plain'; form.action = url('api/trials/1/tell'); form.target = 'there';
    const frame = document.createElement('iframe');
    frame.name = 'there';
    const field = document.createElement('input');
    field.name = '{"state": "fail", "x": "'; field.value = '"}';
    form.append(field); document.body.append(frame, form);
    await new Promise(done => { frame.onload = done; form.submit(); });
    return came;
}"""


@dataclass(frozen=True)
class House:
    """A dashboard that may change things, and what is in its store."""

    shell: Shell
    link: str
    artifacts: dict[str, str]

    @property
    def address(self) -> str:
        return self.link.partition("?")[0]

    def path(self, name: str) -> str:
        return f"artifacts/1/1/{self.artifacts[name]}"


@pytest.fixture
def house(shell: Shell) -> House:
    import optuna
    from optuna.artifacts import FileSystemArtifactStore, upload_artifact
    from PIL import Image

    from storage.store import open_store

    made = {}
    with open_store(shell.storage, shell.folder / "hpsearch-files") as store:
        study = optuna.create_study(storage=store.optuna, study_name=NAME, direction="maximize")
        trial = study.ask()
        (shell.folder / "evil.html").write_text(HTML)
        (shell.folder / "evil.svg").write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg"><script>{DELETE}</script></svg>'
        )
        Image.new("RGB", (8, 8)).save(shell.folder / "picture.png")
        for name in ("evil.html", "evil.svg", "picture.png"):
            made[name] = upload_artifact(
                artifact_store=FileSystemArtifactStore(store.files.artifacts),
                file_path=str(shell.folder / name), study_or_trial=trial,
            )  # fmt: skip
    _, link = dashboard_of(shell, "--allow-changes")
    return House(shell, link, made)


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    """A page that came by the link: the browser has the cookie."""
    with chromium() as browser:
        opened = browser.new_context().new_page()
        opened.set_default_timeout(PATIENCE)
        opened.goto(house.link)
        opened.wait_for_url("**/dashboard")
        yield opened


@contextmanager
def another_server() -> Iterator[int]:
    """Somebody's web server on this machine, with an empty page; its port."""

    class Empty(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!DOCTYPE html><title>evil</title><body></body>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def studies(page: Page) -> Any:
    """What the dashboard's own page reads."""
    return page.evaluate("fetch('/api/studies').then(got => got.json())")["study_summaries"]


def state(page: Page) -> str:
    return page.evaluate("fetch('/api/studies/1').then(got => got.json())")["trials"][0]["state"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_s02_page_of_another_origin_reads_and_changes_nothing(page: Page, house: House, host: str) -> None:
    other = page.context.new_page()
    answers: list[tuple[str, int]] = []
    other.on("response", lambda got: answers.append((got.url, got.status)))
    with another_server() as port:
        other.goto(f"http://{host}:{port}/")

        came = other.evaluate(ATTACK, [house.address, house.path("picture.png")])

    assert came == dict.fromkeys(("read", "delete", "tell", "picture", "script"), "blocked")
    # Of the form's, the browser tells the status; the other answers it keeps back itself.
    assert [status for url, status in answers if url.startswith(house.address)] == [403]
    assert [study["study_name"] for study in studies(page)] == [NAME]
    assert state(page) == "Running"


def test_s02_without_the_token_a_browser_is_asked_for_it(house: House) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{house.address}dashboard/studies/1")
        assert page.get_by_text("This page needs the token").count() == 1

        page.get_by_label("token").fill(house.link.partition("token=")[2])
        page.get_by_role("button").click()

        page.wait_for_url("**/dashboard")
        page.get_by_text("onerror").first.wait_for()


@pytest.mark.parametrize("name", ["evil.html", "evil.svg"])
def test_s03_artifact_with_a_script_runs_nothing(page: Page, house: House, name: str) -> None:
    with page.expect_download():
        page.evaluate("path => { location.href = path }", f"/{house.path(name)}")
    page.evaluate(
        """path => new Promise(done => {
            const frame = document.createElement('iframe');
            document.body.append(frame);
            frame.src = path;
            setTimeout(done, 2000);
        })""",
        f"/{house.path(name)}",
    )

    assert len(studies(page)) == 1
    assert page.title() != "ran"


def test_s10_study_named_like_a_script_is_shown_as_text(page: Page) -> None:
    page.get_by_text("onerror", exact=False).first.wait_for()

    assert NAME in page.locator("body").inner_text()
    assert page.title() != "ran"
