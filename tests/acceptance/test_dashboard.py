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


def test_plots_and_best_trial_say_what_hpsearch_says(
    page: Page, dashboard: str, searched: Shell, shown: list[dict[str, Any]]
) -> None:
    best = searched.json("best", "quick")
    page.goto(f"{dashboard}dashboard/studies/1")
    page.get_by_role("heading", name=f"Best Trial (number={best['trial']})").wait_for()
    page.locator(".js-plotly-plot .barlayer .point").first.wait_for()  # importance is computed by the server

    plots = page.evaluate("[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot.data)")
    history = {x: y for trace in plots[0] if trace.get("mode") == "markers" for x, y in points(trace)}
    assert history == {one["trial"]: one["value"] for one in shown}  # pruned ones, too
    assert max(history.values()) == best["value"]
    importance = {name for plot in plots for trace in plot if trace.get("orientation") == "h" for name in trace["y"]}
    assert {"learning_rate", "head_width"} <= importance
    [curves] = [plot for plot in plots if any("trial #" in str(trace.get("name")) for trace in plot)]
    assert len(curves) == len(shown)
    assert page.get_by_text(f"{best['value']:g}", exact=False).count() >= 1


def points(trace: dict[str, Any]) -> list[tuple[int, float]]:
    return [(int(x), y) for x, y in zip(trace["x"], trace["y"], strict=True)]


@pytest.mark.parametrize("path", ["", "/studies/1", "/studies/1/note", "/studies/1/trials?numbers=0"])
def test_dashboard_that_only_shows_has_no_buttons_in_vain(page: Page, dashboard: str, path: str) -> None:
    page.goto(f"{dashboard}dashboard{path}")
    page.get_by_text("quick", exact=False).first.wait_for()
    if "trials" in path:
        page.get_by_text("Trial 0").first.wait_for()

    refused = page.locator(
        '[aria-label="delete study"], [aria-label="rename study"], [aria-label="delete artifact"], '
        '[data-testid="AddBoxIcon"], [data-testid="EditIcon"], [data-testid="UploadFileIcon"]'
    )
    if "trials" not in path:
        refused.first.wait_for(state="attached")
    if path == "/studies/1":
        page.locator('img[src^="/artifacts/"]').first.wait_for()
    assert not any(one.is_visible() for one in refused.all())
    foot = page.evaluate("getComputedStyle(document.body, '::after').content")
    assert "hpsearch dashboard --allow-changes" in foot


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
