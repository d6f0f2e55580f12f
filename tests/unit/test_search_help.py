"""Documents and help speak of the commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import typer.main

from search.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GROUP = typer.main.get_command(app)
COMMAND_LINE = re.compile(r"(?:^|[\s`(])hpsearch ((?:[a-z][a-z-]*)(?: [^`\n]*)?)")


def commands() -> dict[str, click.Command]:
    """Every command by the words that call it: `status`, `space check`, …"""
    assert isinstance(GROUP, click.Group)
    found: dict[str, click.Command] = {}
    for name, command in GROUP.commands.items():
        if isinstance(command, click.Group):
            found |= {f"{name} {sub}": one for sub, one in command.commands.items()}
        else:
            found[name] = command
    return found


def lines_of(document: Path) -> list[str]:
    """What follows `hpsearch ` wherever a document shows a command line, comments cut."""
    shown = []
    for block in re.findall(r"```[a-z]*\n(.*?)```|`(hpsearch [^`]+)`", document.read_text(), re.DOTALL):
        for line in "\n".join(block).splitlines():
            match = COMMAND_LINE.search(line.partition(" #")[0])
            if match:
                shown.append(match[1].strip())
    return shown


@pytest.mark.parametrize("name", commands())
def test_help_shows_an_example(name: str) -> None:
    command = commands()[name]

    help_text = command.help or ""

    assert re.search(rf"^hpsearch {name}( |$)", help_text, re.MULTILINE), help_text
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


@pytest.mark.parametrize("group", [None, "space", "data", "db"])
def test_list_of_commands_cuts_no_sentence(group: str | None) -> None:
    assert isinstance(GROUP, click.Group)
    shown = GROUP.commands[group] if group else GROUP

    text = shown.get_help(click.Context(shown, info_name="hpsearch", terminal_width=80))

    assert "Commands:" in text
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize("group", ["space", "data", "db"])
def test_group_shows_an_example(group: str) -> None:
    assert isinstance(GROUP, click.Group)

    assert re.search(rf"^hpsearch {group} ", GROUP.commands[group].help or "", re.MULTILINE)


@pytest.mark.parametrize("name", commands())
def test_command_stands_in_a_document(name: str) -> None:
    assert any(line == name or line.startswith(f"{name} ") for document in DOCUMENTS for line in lines_of(document))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_document_shows_commands_that_exist(document: Path) -> None:
    wrong = []
    for line in lines_of(document):
        words = line.split()
        command = commands().get(words[0]) or commands().get(" ".join(words[:2]))
        if command is None:
            wrong.append(line)
            continue
        known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        wrong += [f"{line}: {word}" for word in words if word.startswith("-") and word not in {*known, "--help"}]

    assert wrong == []
