"""A folder for each attempt: two workers that both think they have a trial never write to the same files."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from search.training.files import checkpoints, remove_checkpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNFINISHED = ".part"


def of(trial: Path) -> list[Path]:
    """The attempts' folders that are there now, and the trial's own, where earlier versions wrote."""
    if not trial.is_dir():
        return []
    return [trial, *sorted(one for one in trial.iterdir() if one.is_dir() and not one.is_symlink())]


def take_over(before: Sequence[Path], attempt: Path) -> Path:
    """Make an attempt's folder begin with the furthest that any attempt before it has left; returns it.

    Files are linked, or copied where that is impossible: nobody ever writes into one that is there. A
    folder under its own name is whole. Without anything before, it is left to whoever writes first.

    Raises:
        FileNotFoundError: if somebody removes it meanwhile, as a later attempt does.
    """
    whole = [one for one in before if one.suffix != _UNFINISHED and checkpoints(one)]
    furthest = max(whole, key=lambda one: checkpoints(one)[0], default=None)
    if furthest is None or attempt.exists():
        return attempt
    unfinished = attempt.with_name(f"{attempt.name}{_UNFINISHED}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for file in furthest.iterdir():
        if file.is_file() and file.suffix != _UNFINISHED:
            with suppress(FileNotFoundError):  # its attempt still lives, and has just removed it
                _link(file, unfinished / file.name)
    unfinished.rename(attempt)
    return attempt


def remove(before: Sequence[Path], trial: Path) -> None:
    """Remove what earlier attempts at a trial have left; a trainer that still writes there finds its folder gone."""
    for folder in before:
        if folder == trial:
            for file in folder.iterdir():
                if file.is_file():
                    file.unlink(missing_ok=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def remove_all_checkpoints(trial: Path) -> None:
    """Remove the checkpoints of a trial that will not be continued, all attempts'; best weights stay."""
    for folder in of(trial):
        remove_checkpoints(folder)


def _link(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copy2(file, place)
