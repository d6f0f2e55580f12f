"""What a data source holds, found out by a process that ends again: this one stays small."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from search.errors import SearchError
from search.training import encoding
from search.training.data.sources import absolute_source
from search.training.messages import DataLoaded, Failed, LoadData

if TYPE_CHECKING:
    from spaces.space import Space


def described(space: Space) -> tuple[Space, DataLoaded]:
    """Read the space's data source once; returns the space with an absolute source, and what it holds.

    Raises:
        SearchError: if it cannot be read; the message says which file and what to do.
    """
    part = space.data
    command = LoadData(source=part.source, validation=part.validation, train_limit=part.train_limit, seed=part.seed)
    answer = _ask(command)
    if isinstance(answer, Failed):
        raise SearchError(answer.message)
    source = absolute_source(part.source, Path.cwd())
    return replace(space, data=replace(part, source=source)), answer


def summary(data: DataLoaded) -> str:
    """One line for a person: classes, images of each part, their shape, and whose validation part it is."""
    height, width, channels = data.image_shape
    own = "; the validation part is the source's own, none is cut from training" if data.has_own_validation else ""
    return (
        f"{data.source}: {len(data.classes)} classes, {data.n_train:,} training, {data.n_validation:,} validation "
        f"and {data.n_test:,} test images of {height}×{width}×{channels}{own}"
    )


def _ask(command: LoadData) -> DataLoaded | Failed:
    done = subprocess.run(
        # -P: a module in the current folder that is called like one of ours, or Keras', is not ours.
        [sys.executable, "-P", "-m", "search.training.data"],
        input=encoding.encode(command),
        capture_output=True,
        check=False,
    )
    try:
        answer = encoding.decode(done.stdout)
    except ValueError as error:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise SearchError(f"reading {command.source} failed: {''.join(last) or 'no word'}") from error
    assert isinstance(answer, DataLoaded | Failed)
    return answer
