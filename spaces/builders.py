"""A user's own architectures, written `module:function`: found on disk, never imported."""

from __future__ import annotations

import re
from pathlib import Path

from spaces import fields
from spaces.catalogue import RULES
from spaces.errors import shown, suggest
from spaces.nodes import Node, Problems

_BUILDER = re.compile(r"([A-Za-z_]\w{0,99}):([A-Za-z_]\w{0,99})", re.ASCII)


def read_folder(node: Node, problems: Problems, base: Path) -> str | None:
    """The section `builders`: an absolute path; None where there is no such folder."""
    if not isinstance(node.value, str) or not node.value.strip() or not node.value.isprintable():
        problems.add(node, f"must be the path of a folder, but got {fields.got(node)}")
        return None
    folder = (base / node.value).resolve()
    if folder.is_dir():
        return str(folder)
    problems.add(node, f"must be a folder that exists, but there is none at {folder}")
    return None


def architecture_problem(value: object, folder: str | None) -> tuple[str, str | None] | None:
    """What is wrong with an architecture, and what was probably meant; None if nothing is."""
    names = RULES["architecture"].allowed
    if not isinstance(value, str):
        return f"must be the name of an architecture, but got {shown(value)}", None
    if value in names:
        return None
    if ":" in value:
        problem = _builder_problem(value, folder)
        return (problem, None) if problem else None
    message = "must be a name in keras.applications, LeNet5, ShortResNet, or your own module:function"
    return f"{message}; but got {shown(value)}", suggest(value, names)


def _builder_problem(value: str, folder: str | None) -> str | None:
    match = _BUILDER.fullmatch(value)
    if match is None:
        return f"your own architecture must be module:function, two plain names, but got {shown(value)}"
    if folder is None:
        return f"your own architecture {value} needs the key `builders`: the folder with {match[1]}.py"
    file = Path(folder) / f"{match[1]}.py"
    if not file.is_file():
        return f"your own architecture {value} needs the file {file}, but there is none"
    if not file.resolve().is_relative_to(folder):
        return f"your own architecture {value} must lie inside {folder}, but {file.name} leads to {file.resolve()}"
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
