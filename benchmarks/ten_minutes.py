"""What a search of ten minutes is worth, from the command to its last word.

    python benchmarks/ten_minutes.py [--timeout 10m] [--figure docs/images/search.svg]

Runs `hpsearch start --space head_shrink --data mnist-5k` in an empty folder, with this machine's
workers, imports and compiling included. Watches the lines that `start` prints: a score counts
from the second at which a user reads it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WANTED = 0.90
SCORE = re.compile(r"^trial \d+.*val_accuracy (\d\.\d+)")
HPSEARCH = [sys.executable, "-m", "search"]


def main() -> None:
    """Search, and print a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--timeout", default="10m", help="as of `hpsearch start`; 10m by default")
    options.add_argument("--figure", metavar="FILE", type=Path, help="draw the last screen of the search (SVG)")
    found = options.parse_args()
    timeout = found.timeout
    with tempfile.TemporaryDirectory() as name:
        wall, reached = searched(Path(name), timeout)
        status = status_of(Path(name))
        if found.figure:
            draw(Path(name), timeout, found.figure)
    best = status["best"]["value"] if status["best"] else None
    states = ", ".join(f"{count} {state}" for state, count in status["trials"].items() if count)
    print(f"| --timeout | wall, s | best val_accuracy | {WANTED:.2f} reached after, s | trials |")
    print("| --- | --- | --- | --- | --- |")
    print(f"| {timeout} | {wall:.0f} | {shown(best, 4)} | {shown(reached, 0)} | {states} |")


def searched(folder: Path, timeout: str) -> tuple[float, float | None]:
    """Wall seconds of the search, and those until a score was as good as wanted; None for never."""
    command = [*HPSEARCH, "start", "--space", "head_shrink", "--data", "mnist-5k", "--timeout", timeout]
    reached = None
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            found = SCORE.match(line)
            if reached is None and found and float(found[1]) >= WANTED:
                reached = time.perf_counter() - begun
    wall = time.perf_counter() - begun
    assert process.returncode == 0, f"the search ended with status {process.returncode}"
    return wall, reached


def status_of(folder: Path) -> dict[str, Any]:
    """The study as `hpsearch status` has it."""
    command = [*HPSEARCH, "status", "head-shrink", "--format", "json"]
    done = subprocess.run(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, check=True)
    [status] = json.loads(done.stdout)
    return dict(status)


def draw(folder: Path, timeout: str, file: Path) -> None:
    """The last screen, as a terminal shows it."""
    from rich.console import Console

    from search.view.status import view
    from search.view.tables import study_screen
    from storage.store import open_store

    console = Console(record=True, width=120, height=30, file=io.StringIO(), force_terminal=True)
    with open_store(f"sqlite:///{folder}/hpsearch.db") as store:
        console.print(study_screen(view(store, "head-shrink"), console.height))
    title = f"hpsearch start --space head_shrink --data mnist-5k --timeout {timeout}"
    console.save_svg(str(file), title=title, unique_id="search")


def environment() -> dict[str, str]:
    """As here, without settings of hpsearch: the store is a new file in the folder."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HPSEARCH_")}


def shown(value: float | None, digits: int) -> str:
    """A number, or that there is none."""
    return "never" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
