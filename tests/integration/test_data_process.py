"""`python -m search.training.data`, as a process that is asked."""

from __future__ import annotations

import subprocess
import sys

from search.training import encoding
from search.training.messages import DataLoaded, Failed, LoadData


def ask(source: str) -> DataLoaded | Failed:
    done = subprocess.run(
        [sys.executable, "-m", "search.training.data"],
        input=encoding.encode(LoadData(source=source, validation=0.1, train_limit=None, seed=0)),
        capture_output=True,
        timeout=600,
        check=True,
    )
    return encoding.decode(done.stdout)


def test_process_tells_what_a_source_holds():
    loaded = ask("mnist-5k")

    assert (loaded.n_train, loaded.n_validation, loaded.n_test) == (3600, 400, 1000)
    assert loaded.image_shape == (28, 28, 1)


def test_process_tells_why_not(tmp_path):
    failed = ask(f"idx:{tmp_path}")

    assert (failed.reason, failed.message[:40]) == ("bad_data", f"{tmp_path} holds no IDX"[:40])
