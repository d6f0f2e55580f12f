from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".gz", ".xz", ".npz", ".keras", ".ico", ".jpg"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)|!\[[^\]]*\]\(([^)\s]+)\)")

# Put together from halves, so that this file does not name them itself.
FORBIDDEN = {
    "a home or working folder of one machine": re.compile(
        r"(?<![\w./-])/(?:wo" + r"rk|ro" + r"ot|home/\w+|Us" + r"ers)/"
    ),
    "a package registry": re.compile(
        r"\b(?:" + "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "simple" + "/" + "pip"]) + r")\b"
    ),
}


def tracked() -> list[Path]:
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("git cannot list the files of this copy")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def forbidden_things(text: str) -> list[str]:
    """What a text names that belongs to one machine, with the line."""
    return [
        f"line {number}: {what}: {found[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if (found := pattern.search(line))
    ]


def test_tracked_files_name_nothing_of_one_machine():
    texts = {path: path.read_text() for path in tracked() if path.suffix not in BINARY}

    problems = [f"{path.relative_to(ROOT)} {p}" for path, text in texts.items() for p in forbidden_things(text)]

    assert problems == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /wo" + "rk/data", 1),
        ('path = "/ro' + 'ot/x"', 1),
        ("https://py" + "pi.org/simple", 1),
        ("COPY a /build/wo" + "rk/", 0),
        ("../shared/data/emnist-sample", 0),
    ],
)
def test_forbidden_thing_in_a_text(text: str, found: int):
    assert len(forbidden_things(text)) == found


def documents() -> list[Path]:
    return sorted(path for path in tracked() if path.suffix == ".md")


def test_links_between_documents_lead_somewhere():
    broken = []
    for document in documents():
        for groups in LINK.findall(document.read_text()):
            target = groups[0] or groups[1]
            if "://" not in target and not target.startswith("mailto:") and not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)}: {target}")

    assert broken == []


def test_decisions_are_all_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()

    missing = [path.name for path in folder.glob("[0-9]*.md") if f"({path.name})" not in index]

    assert missing == []


def test_tests_that_operations_names_are_there():
    named = set(re.findall(r"`(test_f\d\d_\w+)`", (ROOT / "docs/operations.md").read_text()))
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    assert named
    assert {name for name in named if f"def {name}(" not in sources} == set()
