"""`hpsearch status --watch` where there is no screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.commands import look
from search.trial import TrialRecord
from search.view.status import StudyView

RUNNING = TrialRecord(number=0, state="running", params={"architecture": "LeNet5"}, value=None)
VIEW = StudyView(
    name="quick", state="open", trials=(RUNNING,), best=None, workers=(), seconds_left=100.0, budget=None,
    metric="val_accuracy", maximizes=True,
)  # fmt: skip


def test_listing_is_printed_when_something_has_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = replace(VIEW, seconds_left=99.0)
    judged = replace(RUNNING, value=0.5, curve=({"epoch": 1, "images": 4000, "val_accuracy": 0.5},))
    looks = [VIEW, later, replace(VIEW, trials=(judged,)), replace(VIEW, trials=(judged,), seconds_left=1.0)]
    seen = iter(looks)
    monkeypatch.setattr(look, "WATCH_SECONDS", 0.0)

    def views() -> list[StudyView]:
        found = next(seen, None)
        if found is None:
            raise KeyboardInterrupt
        return [found]

    with pytest.raises(KeyboardInterrupt):
        look._print_changes(views, is_one=True)

    printed = capsys.readouterr().out
    assert printed.count("1 trial") == 2
    assert "1m 40s left" in printed
    assert "1m 39s" not in printed
    assert "0.5000" in printed
