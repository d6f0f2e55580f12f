"""A real browser, and a dashboard for it."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from conftest import Shell
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 180_000  # ms; the first page loads some megabytes of scripts on a busy machine

_LINK = re.compile(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{48}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


def dashboard_of(shell: Shell, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start `hpsearch dashboard`; returns its process and the link that it printed."""
    number = len(shell.logs())
    process = shell.start("dashboard", "--port", "0", *options)
    shell.wait_for(lambda: _LINK.search(shell.log(number)) is not None, "a link")
    found = _LINK.search(shell.log(number))
    assert found
    return process, found[0]
