from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text()
DIGEST = re.compile(r"^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|HPSEARCH_STORAGE|://[^/\s]+:[^/\s]+@")


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile with its arguments on one line; comments left out."""
    lines = re.sub(r"(?m)^#.*\n", "", text).replace("\\\n", " ").splitlines()
    return [(word.upper(), " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines if line)]


def image_problems(text: str) -> list[str]:
    """What is unsafe in a Dockerfile; empty for a safe one."""
    steps = instructions(text)
    stages = {arguments.split(" AS ")[1] for word, arguments in steps if word == "FROM" and " AS " in arguments}
    sources = {arguments.split()[0] for word, arguments in steps if word == "FROM"}
    problems = [f"{source} is not pinned by digest" for source in sorted(sources - stages) if not DIGEST.match(source)]
    last = max(i for i, (word, _) in enumerate(steps) if word == "FROM")
    final = dict(steps[last:])
    if final.get("USER", "root").split(":")[0] in {"root", "0"}:
        problems.append("runs as root")
    problems += [f"has no {word}" for word in ("HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT") if word not in final]
    problems += [f"{word} carries a secret" for word, rest in steps if word in {"ENV", "ARG"} and SECRET.search(rest)]
    problems += ["ADD fetches without a check" for word, _ in steps if word == "ADD"]
    installs = [rest for word, rest in steps if word == "RUN" and "pip install" in rest]
    problems += [
        f"installs unlocked: {rest}" for rest in installs if not re.search(r"--require-hashes|--no-deps .*\.$", rest)
    ]
    return problems


def test_dockerfile_has_no_problems():
    assert image_problems(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (r"@sha256:\w+", "", "python:3.11.16-slim-bookworm is not pinned by digest"),
        (r"USER .*", "USER root", "runs as root"),
        (r"USER .*\n", "", "runs as root"),
        (r"HEALTHCHECK .*\n", "", "has no HEALTHCHECK"),
        (r"STOPSIGNAL .*\n", "", "has no STOPSIGNAL"),
        (r"FROM base AS run", "FROM base AS run\nENV PGPASSWORD=x", "ENV carries a secret"),
        (r"FROM base AS run", "FROM base AS run\nADD https://example.org/x /x", "ADD fetches without a check"),
        (r"--require-hashes ", "", "installs unlocked: "),
    ],
)
def test_dockerfile_rule_broken(old: str, new: str, problem: str):
    changed = re.sub(old, new, DOCKERFILE)

    assert changed != DOCKERFILE
    assert any(found.startswith(problem) for found in image_problems(changed))


def copied() -> list[str]:
    return [
        source
        for word, rest in instructions(DOCKERFILE)
        if word == "COPY" and "--from=" not in rest
        for source in [part for part in rest.split() if not part.startswith("--")][:-1]
    ]


@pytest.mark.parametrize("source", copied())
def test_copied_file_is_there_and_reaches_the_builder(source: str):
    allowed = [line[1:] for line in IGNORED.splitlines() if line.startswith("!")]

    assert (ROOT / source).exists()
    assert source in allowed


def test_dockerignore_keeps_everything_else_out():
    rules = [line for line in IGNORED.splitlines() if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert {line[1:] for line in rules if line.startswith("!")} == set(copied())


def test_image_has_all_packages_of_the_wheel():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied())


def test_image_python_is_one_the_project_supports():
    version = re.search(r"FROM python:3\.(\d+)\.", DOCKERFILE)

    assert version
    assert 11 <= int(version[1]) < 14
