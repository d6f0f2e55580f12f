"""A user's own architectures, written `module:function`: found on disk, never imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from spaces import fields
from spaces.catalogue import RULES
from spaces.errors import shown, suggest
from spaces.nodes import Node, Problems

_BUILDER = re.compile(r"([A-Za-z_]\w{0,99}):([A-Za-z_]\w{0,99})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Builders:
    """Where a user's own architectures may be."""

    folder: str | None = None
    """Absolute path; None where the file names none, or none that can be used."""
    is_given: bool = False
    """Whether the file has the key `builders`."""
    is_checked: bool = True
    """Whether folder and files must exist; not so for a space from a store, which another machine may read."""


def read_folder(node: Node | None, problems: Problems, base: Path, *, is_checked: bool) -> Builders:
    """The section `builders`; a relative folder begins at `base`."""
    if node is None:
        return Builders()
    if not isinstance(node.value, str) or not node.value.strip() or not node.value.isprintable():
        problems.add(node, f"must be the path of a folder, but got {fields.got(node)}")
        return Builders(is_given=True)
    if not is_checked:
        return Builders(folder=node.value, is_given=True, is_checked=False)
    folder = (base / node.value).resolve()
    if folder.is_dir():
        return Builders(folder=str(folder), is_given=True)
    problems.add(node, f"must be a folder that exists, but there is none at {folder}")
    return Builders(is_given=True)


def architecture_problem(value: object, builders: Builders) -> tuple[str, str | None] | None:
    """What is wrong with an architecture, and what was probably meant; None if nothing is."""
    names = RULES["architecture"].allowed
    if not isinstance(value, str):
        return f"must be the name of an architecture, but got {shown(value)}", None
    if value in names:
        return None
    if ":" in value:
        problem = _builder_problem(value, builders)
        return (problem, None) if problem else None
    message = "must be a name in keras.applications, LeNet5, ShortResNet, or your own module:function"
    return f"{message}; but got {shown(value)}", suggest(value, names)


def _builder_problem(value: str, builders: Builders) -> str | None:
    match = _BUILDER.fullmatch(value)
    if match is None:
        return f"your own architecture must be module:function, two plain names, but got {shown(value)}"
    if not builders.is_given:
        return f"your own architecture {value} needs the key `builders`: the folder with {match[1]}.py"
    if builders.folder is None or not builders.is_checked:
        return None
    file = Path(builders.folder) / f"{match[1]}.py"
    if not file.is_file():
        return f"your own architecture {value} needs the file {file}, but there is none"
    if not file.resolve().is_relative_to(builders.folder):
        return f"your own architecture {value} must lie inside {builders.folder}, but leads to {file.resolve()}"
    return _definition_problem(file, match[2])


def _definition_problem(file: Path, function: str) -> str | None:
    import ast

    try:
        module = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        return f"{file} must be Python, but cannot be read: {error}"
    names = [statement.name for statement in module.body if isinstance(statement, ast.FunctionDef)]
    if function in names:
        return None
    return f"{file} must define the function {function}, but its functions are: {', '.join(names) or 'none'}"
