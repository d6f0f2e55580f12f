"""The space files that ship with hpsearch."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from spaces.errors import Problem, SpaceError, shown, suggest

_FOLDER = Path(__file__).resolve().parent


def shipped() -> tuple[str, ...]:
    """Names of the space files that ship, in order of the alphabet."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def about(name: str) -> str:
    """What a shipped space file says of itself: the first sentence of the comment that it begins with."""
    with (_FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
        lines = itertools.takewhile(lambda line: line.startswith("#"), file)
        text = " ".join(line.removeprefix("#").strip() for line in lines)
    return re.split(r"(?<=[.?!])\s", text, maxsplit=1)[0]


def find_space(name_or_path: str) -> Path:
    """The file that a person means: one that exists, else one that ships.

    A shipped one is found from any folder, with or without `.yaml`, `-` and `_` alike.

    Raises:
        SpaceError: if there is neither; it lists what ships.
    """
    path = Path(name_or_path)
    if _is_file(path):
        return path
    name = path.name.removesuffix(".yaml").replace("-", "_")
    if len(path.parts) == 1 and name in shipped():
        return _FOLDER / f"{name}.yaml"
    problem = Problem(
        message="is neither a space file nor one that ships with hpsearch",
        path="",
        suggestion=suggest(name, shipped()),
        names=f"these ship: {', '.join(shipped())}",
    )
    raise SpaceError([problem], shown(name_or_path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be looked into
        return False
