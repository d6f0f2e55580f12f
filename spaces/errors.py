"""What is wrong with a space, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a space file."""

    message: str
    """The rule, what came instead, and what to do."""
    path: str
    """Key path such as `search.dropout.float`; empty for the file as a whole."""
    line: int | None = None
    """From 1; None where the text has no lines, as with `--set`."""
    column: int | None = None
    """From 1; None exactly where `line` is."""
    suggestion: str | None = None
    """The name that was probably meant."""
    names: str | None = None
    """What would have been allowed, where that is long: `allowed: study, data, …`."""

    def describe(self, file: str) -> str:
        """One line of text, as compilers write it: `FILE:LINE:COLUMN: PATH: MESSAGE`."""
        place = file if self.line is None else f"{file}:{self.line}:{self.column}"
        parts = [place, self.path, self.message] if self.path else [place, self.message]
        return ": ".join(parts) + self._hint()

    def _hint(self) -> str:
        """What was probably meant comes before the long list, where nobody would find it."""
        meant = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        if not self.names:
            return meant
        return f"{meant} {self.names[0].upper()}{self.names[1:]}" if meant else f"; {self.names}"


class SpaceError(ValueError):
    """A space file that cannot be used; `str()` lists every problem, one a line."""

    def __init__(self, problems: Sequence[Problem], file: str) -> None:
        """Keep the problems in the order of the file; those without a line come last."""
        self.problems = tuple(sorted(problems, key=_order))
        self.file = file
        super().__init__("\n".join(problem.describe(file) for problem in self.problems))


def suggest(word: str, names: Iterable[str]) -> str | None:
    """The name that is most like the word, or None where none is near.

    Case, `-` and `_` are overlooked first: `vgg16` is `VGG16`.
    """
    known = {_folded(name): name for name in names}
    near = difflib.get_close_matches(_folded(word), known, n=1)
    return known[near[0]] if near else None


def shown(value: object) -> str:
    """A value as it may stand in a message: on one line, without control characters, cut at 60."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")[:100]


def _order(problem: Problem) -> tuple[bool, int, int]:
    return (problem.line is None, problem.line or 0, problem.column or 0)
