from __future__ import annotations

import subprocess
import sys

HEAVY = {"keras", "tensorflow", "optuna", "sqlalchemy", "pydantic", "numpy", "search", "storage", "rich", "typer"}

CODE = """
from spaces.library import find_space
from spaces.reader import read_space
from spaces.space import Space
from spaces.table import rows
space = read_space(find_space("head_shrink"))
rows(space.with_overrides(["budget.epochs=3"])), Space.from_json(space.to_json()).hash, list(space.default_points())
import sys
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_reading_a_space_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    assert "spaces" in done.stdout.split()
    assert not set(done.stdout.split()) & HEAVY
