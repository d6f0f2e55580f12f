from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEAVY = {"keras", "tensorflow", "optuna", "sqlalchemy", "pydantic", "numpy", "search", "storage", "rich", "typer"}
MAX_SECONDS = 0.15

CODE = """
import time
begin = time.process_time()
from spaces.library import find_space
from spaces.reader import read_space
from spaces.space import Space
from spaces.table import rows
space = read_space(find_space("head_shrink"))
seconds = time.process_time() - begin
rows(space.with_overrides(["budget.epochs=3"])), Space.from_json(space.to_json()).hash, list(space.default_points())
import sys
print(seconds)
print(*{name.partition(".")[0] for name in sys.modules})
"""


def read_once(cache: Path) -> tuple[float, set[str]]:
    """Seconds of processor time, and modules, of a process that reads a space; with bytecode, as installed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    seconds, modules = done.stdout.splitlines()
    return float(seconds), set(modules.split())


def test_reading_a_space_imports_nothing_heavy_and_is_quick(tmp_path: Path):
    read_once(tmp_path)  # compiles

    runs = [read_once(tmp_path) for _ in range(3)]

    assert not runs[0][1] & HEAVY
    assert min(seconds for seconds, _ in runs) < MAX_SECONDS
