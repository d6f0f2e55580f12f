"""The dashboard in a real browser."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Shell
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 180_000  # ms; the first page loads some megabytes of scripts on a busy machine


@pytest.fixture(scope="module")
def dashboard(searched: Shell) -> Iterator[str]:
    """The address of `hpsearch dashboard` over the searched study."""
    number = len(searched.logs())
    process = searched.start("dashboard", "--port", "0")
    searched.wait_for(lambda: "http://" in searched.log(number), "an address")
    found = re.search(r"http://127\.0\.0\.1:\d+/", searched.log(number))
    assert found
    yield found[0]
    process.terminate()


@pytest.fixture(scope="module")
def page(dashboard: str) -> Iterator[Page]:
    """A page of a headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        opened = browser.new_page(viewport={"width": 1400, "height": 1000})
        opened.set_default_timeout(PATIENCE)
        yield opened
        browser.close()


def test_study_is_listed_and_shows_its_history(page: Page, dashboard: str) -> None:
    page.goto(dashboard)
    page.get_by_text("quick", exact=False).first.click()
    page.wait_for_url("**/studies/1*")

    page.get_by_role("heading", name="History").first.wait_for()
    points = page.locator(".js-plotly-plot .scatterlayer .trace path.point")
    points.first.wait_for()
    assert points.count() >= 1
    history = page.locator(".js-plotly-plot").first.bounding_box()
    assert history is not None
    assert history["x"] + history["width"] <= 1400  # no long value pushes it off the screen


def test_best_trial_shows_its_pictures_and_how_it_ended(
    page: Page, dashboard: str, searched: Shell, shown: list[dict[str, Any]]
) -> None:
    number = searched.json("best", "quick")["trial"]
    page.goto(f"{dashboard}dashboard/studies/1/trials?numbers={number}")
    page.get_by_text(f"Trial {number}").first.wait_for()

    page.get_by_text(shown[number]["why"]).first.wait_for()
    images = page.locator('img[src^="/artifacts/"]')
    images.first.wait_for()
    sizes = images.evaluate_all("all => all.map(one => [one.naturalWidth, one.naturalHeight])")
    assert len(sizes) >= 2
    assert all(width > 300 and height > 300 for width, height in sizes)
    for name in (f"trial-{number}-learning-curve.png", "-confusion.png"):
        assert page.get_by_text(name).count() >= 1


def test_true_values_are_shown(page: Page, dashboard: str, shown: list[dict[str, Any]]) -> None:
    page.goto(f"{dashboard}dashboard/studies/1/trials?numbers=0")
    page.get_by_text("Trial 0").first.wait_for()

    page.get_by_text(f"head_width {shown[0]['params']['head_width']}").first.wait_for()


def test_address_others_reach_is_refused(searched: Shell) -> None:
    done = searched.run("dashboard", "--host", "0.0.0.0", status=2)

    assert "it must listen on 127.0.0.1, but got --host 0.0.0.0" in done.stderr


def test_taken_port_is_said(searched: Shell, dashboard: str) -> None:
    port = dashboard.rstrip("/").rpartition(":")[2]

    done = searched.run("dashboard", "--port", port, status=1)

    assert f"port {port} of 127.0.0.1 cannot be used" in done.stderr


def test_unknown_artifact_is_not_found(dashboard: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{dashboard}artifacts/1/1/..%2F..%2Fhpsearch.db", timeout=180)

    assert refused.value.code in (400, 404)
    refused.value.close()
