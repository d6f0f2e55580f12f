"""How this program was called, so that what it tells a person to type can be typed."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

NAME = "hpsearch"

_COMMAND = re.compile(rf"(^|`){NAME}(?= [a-z])", re.MULTILINE)


def program() -> str:
    """What to type instead of `hpsearch`, as this process was called.

    `hpsearch` where the PATH finds this very program, else its path; `python -m search` where it
    was started so. Paths below the current folder are given from there.
    """
    called = Path(sys.argv[0])
    if called.name == NAME:
        return _spelled(called)
    if called.name == "__main__.py" and called.parent.name == "search":
        return f"{_spelled(Path(sys.executable))} -m search"
    return NAME  # called from another program: nobody knows how


def as_called(text: str) -> str:
    """A message with its commands (at the beginning of a line, or after a backtick) as `program` spells them."""
    return _COMMAND.sub(lambda found: found[1] + program(), text)


def _spelled(file: Path) -> str:
    path = file.absolute()
    found = shutil.which(path.name)
    if found and Path(found).absolute() == path:
        return path.name
    try:
        below = path.relative_to(Path.cwd())
    except ValueError:
        return shlex.quote(str(path))
    return shlex.quote(str(below) if len(below.parts) > 1 else f"./{below}")
