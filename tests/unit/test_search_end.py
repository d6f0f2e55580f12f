"""What `start` says when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.commands.end import conclude, next_lines
from search.trial import Outcome, TrialRecord
from search.view.status import StudyView

PARAMS = {"architecture": "DenseNet121", "head_layers": 1, "head_width": 512, "dropout": 0.25, "batch_size": 256}
BEST = TrialRecord(
    number=3, state="paused", params={**PARAMS, "learning_rate": 1e-3, "patience": 10}, value=0.875,
    curve=({"epoch": 2, "images": 8000, "val_accuracy": 0.875},),
    seconds={"total": 42.0}, outcome=Outcome(reason=None, why=""),
)  # fmt: skip
VIEW = StudyView(
    name="head-shrink", state="out_of_time", trials=(BEST,), best=BEST, workers=(), seconds_left=0.0, budget=None,
    metric="val_accuracy", maximizes=True,
)  # fmt: skip
STORE = "sqlite:///hpsearch.db"


def said(capsys: pytest.CaptureFixture[str], view: StudyView, *, is_interrupted: bool = False) -> list[str]:
    conclude(view, STORE, has_test=True, is_interrupted=is_interrupted)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_next_commands_have_their_meaning_in_one_column() -> None:
    lines = next_lines("head-shrink", has_test=True)

    assert [line.split("   ")[0] for line in lines] == [
        "hpsearch dashboard",
        "hpsearch best head-shrink",
        "hpsearch export head-shrink -o head-shrink-model",
        "hpsearch evaluate head-shrink-model",
    ]
    assert len({len(line) - len(line.split("   ")[-1].lstrip()) for line in lines}) == 1


def test_data_without_a_test_part_are_evaluated_on_validation() -> None:
    assert next_lines("mine", has_test=False)[-1].startswith(
        "hpsearch evaluate mine-model --split validation   what the model is worth on the validation part"
    )


def test_study_with_an_odd_name_is_quoted() -> None:
    lines = next_lines("a b/c", has_test=True)

    assert "export 'a b/c' -o 'a_b_c~" in lines[2].replace("-o a_b_c~", "-o 'a_b_c~")
    assert " -o a b" not in lines[2]


def test_interrupted_search_says_that_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, replace(VIEW, state="open"), is_interrupted=True)

    assert lines[1] == (
        "study head-shrink: interrupted. What ran here was given back where it stood; the same command carries on."
    )
    assert lines[2] == "best: trial 3, val_accuracy 0.8750 after 2 epochs (42s); it is paused, and can go on"
    assert "next:" in lines


@pytest.mark.parametrize(
    ("variable", "headline"),
    [(None, "next (with HPSEARCH_STORAGE naming the same store):"), ("sqlite:///b.db", "next:")],
)
def test_store_of_an_option_must_be_named_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str | None, headline: str
) -> None:
    if variable:
        monkeypatch.setenv("HPSEARCH_STORAGE", variable)

    conclude(VIEW, "sqlite:///b.db", has_test=True)

    assert headline in capsys.readouterr().err.splitlines()


def test_trials_of_other_workers_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    running = replace(BEST, number=4, state="running")

    lines = said(capsys, replace(VIEW, state="open", trials=(BEST, running)), is_interrupted=True)

    assert "; 1 still held, by other workers or until a lease runs out; " in lines[1]


def test_best_parameters_break_between_words_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = said(capsys, VIEW)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")

    shown = said(capsys, VIEW)

    first = next(number for number, line in enumerate(shown) if line.startswith("      DenseNet121"))
    broken = shown[first : shown.index("", first)]
    assert len(broken) > 1
    assert all(len(line) <= 60 for line in broken)
    assert " ".join(line.strip() for line in broken) == piped[3].strip()
    assert piped[3].endswith("patience 10")
