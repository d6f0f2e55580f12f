"""A table as plain text, for a file or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH = 160  # as wide as most tables need


def plain(renderable: RenderableType, width: int = _WIDTH) -> str:
    """Its lines, without colours and without the blanks that fill the last column."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
