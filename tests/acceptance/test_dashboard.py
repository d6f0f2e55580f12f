"""The dashboard in a real browser."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from browsing import PATIENCE, chromium, dashboard_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Shell
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def link(searched: Shell) -> Iterator[str]:
    """The link that `hpsearch dashboard` over the searched study printed."""
    process, printed = dashboard_of(searched)
    yield printed
    process.terminate()
    assert process.wait(timeout=60) == 130


@pytest.fixture(scope="module")
def dashboard(link: str) -> str:
    """The address in it, without the token."""
    return link.partition("?")[0]


@pytest.fixture(scope="module")
def page(link: str) -> Iterator[Page]:
    """A page of a headless Chromium that came by the link."""
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 1400, "height": 1000})
        opened.set_default_timeout(PATIENCE)
        opened.goto(link)
        yield opened


def test_study_is_listed_and_shows_its_history(page: Page) -> None:
    page.wait_for_url("**/dashboard")  # the link led here, without the token
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

    assert "must listen on 127.0.0.1" in done.stderr
    assert "but got --host 0.0.0.0 without --token-file" in done.stderr


def test_taken_port_is_said(searched: Shell, dashboard: str) -> None:
    port = dashboard.rstrip("/").rpartition(":")[2]

    done = searched.run("dashboard", "--port", port, status=1)

    assert f"port {port} of 127.0.0.1 cannot be used" in done.stderr


def test_unknown_artifact_is_not_found(link: str) -> None:
    address, _, token = link.partition("?token=")
    request = urllib.request.Request(
        f"{address}artifacts/1/1/..%2F..%2Fhpsearch.db", headers={"Authorization": f"Bearer {token}"}
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=180)

    assert refused.value.code == 404
    refused.value.close()
