"""Space files, builders and names that would do harm, S6 to S10 and S12: refused by the commands themselves."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from rich.console import Console

from search.commands.logs import _OneLine
from search.dashboard.spreadsheet import harmless
from search.main import run
from search.texts import clean, clean_lines
from search.training import files
from search.trial import TrialRecord
from search.view.status import StudyView
from search.view.tables import pairs_table, studies_table, study_screen
from spaces.reader import read_space

SMALL = """\
data: {source: mnist-5k}
search:
  architecture: {choice: [LeNet5, VGG16]}
"""
NAME = "\x1b[31mred\nnext: <script>alert(1)</script> [bold]x[/] \u202e=cmd"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty, with a store that does not exist in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(text: str, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What `start` says of a space file; it has to end with status 2 and without a store."""
    Path("mine.yaml").write_text(text)
    before = sorted(Path.cwd().iterdir())

    status = run(["start", "--space", "mine.yaml", "--workers", "0", *options])

    assert status == 2
    assert sorted(Path.cwd().iterdir()) == before
    return capsys.readouterr().err


TAG = "study: !!python/object/apply:os.system ['touch ran']\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 11)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL + TAG, "mine.yaml:4:8: study: tags are not allowed"),
        (BOMB, "mine.yaml:2:10: a1[0]: aliases are not allowed"),
        (SMALL + "  architecture: {choice: [LeNet5]}\n", "mine.yaml:4:3: search.architecture: equal keys are"),
        (SMALL + "serach: {}\n", "mine.yaml:4:1: serach: there is no key 'serach' here"),
        (
            SMALL + "  learning_rate: {float: ['1e-3', 1e-1]}\n",
            "mine.yaml:4:27: search.learning_rate.float[0]: must be a number",
        ),
    ],
    ids=["tag", "alias bomb", "equal keys", "unknown key", "number in quotes"],
)  # fmt: skip
def test_s06_space_file_that_would_do_harm_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
):
    assert said in refused(text, capsys)
    assert not (here / "ran").exists()


def test_s06_number_without_a_point_is_a_number(here: Path):
    (here / "mine.yaml").write_text(SMALL + "  learning_rate: {float: [1e-3, 1e-1]}\n")
    (here / "other.yaml").write_text(SMALL + "  learning_rate: {choice: [1e-3]}\n")

    assert read_space(here / "mine.yaml").search[1].low == 0.001
    assert read_space(here / "other.yaml").search[1].choices == (0.001,)


@pytest.mark.parametrize(
    ("builder", "said"),
    [
        ("os:system", "needs the file {nets}/os.py, but there is none"),
        ("../x:y", "must be module:function, two plain names, but got '../x:y'"),
        ("mine:WIDTH", "{nets}/mine.py must define the function WIDTH, but its functions are: net"),
        ("linked:net", "must lie inside {nets}, but leads to {here}/outside.py"),
    ],
)
def test_s07_builder_from_elsewhere_is_refused_before_anything_is_asked(
    here: Path, capsys: pytest.CaptureFixture[str], builder: str, said: str
):
    nets = here / "nets"
    nets.mkdir()
    trap = "from pathlib import Path\nPath('ran').touch()\nWIDTH = 3\n\ndef net(shape, parameters): ...\n"
    for file in (nets / "mine.py", here / "outside.py", here / "os.py", here / "x.py"):
        file.write_text(trap)
    (nets / "linked.py").symlink_to(here / "outside.py")

    text = f"builders: nets\n{SMALL.replace('VGG16', repr(builder))}"

    assert said.format(nets=nets, here=here) in refused(text, capsys)


def test_s09_sampler_that_keeps_pickles_in_the_store_is_refused(here: Path, capsys: pytest.CaptureFixture[str]):
    said = refused(SMALL + "sampler: {name: cmaes}\n", capsys)

    assert "mine.yaml:4:17: sampler.name: must be one of: tpe, random, gp, grid; but got 'cmaes'" in said


@pytest.mark.parametrize("name", [NAME, "../../x", "/etc/x", "=cmd", "<script>", "", "x" * 101])
def test_s10_study_of_another_than_a_plain_name_is_not_begun(here: Path, capsys: pytest.CaptureFixture[str], name: str):
    said = refused(SMALL, capsys, f"--study={name}")

    assert said.startswith("hpsearch: --study must be a name of at most 100 letters, digits,")
    assert said.removesuffix("\n").isprintable()


def shown(*screens: object) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        for screen in screens:
            console.print(screen)
    return captured.get()


def test_s10_names_from_a_store_are_escaped_in_a_terminal():
    trial = TrialRecord(number=0, state="complete", params={NAME: NAME}, value=1.0, name=NAME)
    view = StudyView(
        name=NAME, state="open", trials=(trial,), best=trial, workers=(), seconds_left=None, budget=None,
        metric="val_accuracy", maximizes=True,
    )  # fmt: skip

    text = shown(studies_table([view]), study_screen(view), pairs_table([("why", NAME)]))

    assert text.replace("\n", "").isprintable()
    assert not [line for line in text.splitlines() if line.startswith("next:")]
    assert text.count("[bold]x[/]") == text.count("<script>alert(1)</script>") >= 5


def test_s10_error_and_talk_are_escaped(here: Path, capfd: pytest.CaptureFixture[str]):
    from search.commands.options import say

    say(f"study {NAME}")
    assert run(["status", NAME, "--storage", "sqlite:///none\x1b[31m.db"]) == 1

    said = capfd.readouterr().err
    assert said.replace("\n", "").isprintable()
    assert "[bold]x[/]" in said


def test_s10_log_has_one_line_an_event():
    record = logging.LogRecord("search", logging.ERROR, "", 0, "study %s is left alone", (NAME,), None)

    line = _OneLine("%(message)s").format(record)

    assert line.isprintable()
    assert line.startswith("study  [31mred next: <script>")


def test_s10_text_keeps_its_letters():
    assert clean("Größe 3×3 → 名前") == "Größe 3×3 → 名前"
    assert clean_lines("a\x07\nb\r") == "a \nb "


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+cmd", "'+1+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("-0.25", "-0.25"),
        ("+1e-05", "+1e-05"),
        ("-inf", "-inf"),
        ("head_width", "head_width"),
        ("\x1b[31m", " [31m"),
    ],
)
def test_s10_cell_of_a_table_is_no_formula(cell: str, written: str):
    quoted = cell.replace('"', '""')

    assert harmless(f'Number,"{quoted}"\r\n') == f"Number,{written}\r\n"


def test_s12_file_is_never_written_through_a_link(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("kept")
    folder = tmp_path / "trial"
    folder.mkdir()
    (folder / f"checkpoint.json.{os.getpid()}.part").symlink_to(outside)
    (folder / "checkpoint.json").symlink_to(outside)

    files.write_json(folder / "checkpoint.json", {"a": 1})

    assert outside.read_text() == "kept"
    assert (folder / "checkpoint.json").read_text() == '{"a": 1}'
    assert not (folder / "checkpoint.json").is_symlink()
