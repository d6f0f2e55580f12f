"""The live table of `start` and `status --watch`."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live

from search.texts import clean
from search.view.plain import plain
from search.view.tables import study_screen

if TYPE_CHECKING:
    from search.view.status import StudyView


_WIDTH = 120  # of lines that go to a file


class _Console(Console):
    """A console that ends nothing when its reader is gone."""

    def on_broken_pipe(self) -> None:
        """Be quiet from now on, instead of ending the process."""
        self.quiet = True


class LiveTable:
    """Redraws a study's screen on stderr; where that is no terminal, a line for each change.

    A terminal that is gone, as when an ssh session ends, is no error: the search does not depend on it.
    """

    def __init__(self) -> None:
        """Choose by what stderr is."""
        is_terminal = sys.stderr.isatty()
        self._console = _Console(stderr=True, width=None if is_terminal else _WIDTH)
        self._live = Live(console=self._console, auto_refresh=False) if is_terminal else None
        self._said: set[tuple[int, str, float]] = set()

    def __enter__(self) -> Self:
        """Take the screen."""
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Give the screen back; the last table stays."""
        if self._live:
            with suppress(OSError):
                self._live.__exit__(None, None, None)

    def show(self, view: StudyView, *, is_last: bool = False) -> None:
        """Show the study as it is now; `is_last` shows it whole also where lines are printed."""
        with suppress(OSError):
            self._show(view, is_last=is_last)

    def _show(self, view: StudyView, *, is_last: bool) -> None:
        if self._live:
            self._live.update(study_screen(view, self._console.height), refresh=True)
        else:
            self._say_changes(view)
            if is_last:
                self._console.print(plain(study_screen(view), _WIDTH), markup=False, highlight=False, soft_wrap=True)

    def _say_changes(self, view: StudyView) -> None:
        for trial in view.trials:
            state = (trial.number, trial.state, trial.epochs)
            if trial.state == "waiting" or state in self._said:
                continue
            self._said.add(state)
            value = "" if trial.value is None else f", {view.metric} {trial.value:.4f}"
            epochs = f", epoch {trial.epochs:.4g}" if trial.epochs else ""
            architecture = f" {trial.params['architecture']}" if "architecture" in trial.params else ""
            self._console.out(clean(f"trial {trial.number}{architecture}: {trial.state}{epochs}{value}"))
