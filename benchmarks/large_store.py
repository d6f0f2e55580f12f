"""What a new worker's first claim takes in a store of 10,000 trials of 30 judgements.

    python benchmarks/large_store.py
    python benchmarks/large_store.py postgresql://USER@HOST/DATABASE

The rows are written straight into the tables, as that many trials leave them: parameters, values,
curves, 32 vital signs each and how each ended. Then a process of its own opens the store, takes
the next trial and says how long that took and how much memory it had at most. Without an address
a SQLite file in a temporary folder is used; a database that is named must be empty.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.study import Study
    from storage.store import Store

N_TRIALS = 10_000
N_STEPS = 30
N_VITALS = 32
IMAGES = 3600
STUDY = "large"
SPACE = """\
study: large
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-5, 1e-2], log: true}
  head_width: {int: [64, 512], step: 64}
fixed: {architecture: LeNet5}
budget: {epochs: 30, trials: 20000}
pruner: {name: none}
"""


def main() -> None:
    """Fill a store, and print a Markdown table of one claim in it."""
    from storage.store import open_store

    parser = argparse.ArgumentParser(description="Measure a new worker's first claim in a large store.")
    parser.add_argument("url", nargs="?", help="an empty PostgreSQL database (default: a new SQLite file)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/hpsearch.db"
        begun = time.perf_counter()
        with open_store(url, folder) as store:
            fill(store)
        print(f"written in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        found = measured(url, folder)
    print("| trials | judgements each | first claim, s | memory at most, MiB |\n| --- | --- | --- | --- |")
    print(f"| {N_TRIALS:,} | {N_STEPS} | {found['seconds']:.1f} | {found['mebibytes']:.0f} |")


def measured(url: str, files: str) -> dict[str, float]:
    """Seconds and MiB of the first claim, in a process of its own."""
    command = [sys.executable, __file__, "--claim", url, files]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def first_claim(url: str, files: str) -> None:
    """Open the store as a worker does, take a trial, and say what that took."""
    import resource

    from search.study import Study
    from search.worker.claim import Claim, Holder, claim
    from search.worker.worker import Worker  # noqa: F401  what a worker has imported counts, too
    from storage.store import open_store

    begun = time.perf_counter()
    with open_store(url, files, create=False) as store:
        taken = claim(Study(store, STUDY), Holder(worker="new"))
        assert isinstance(taken, Claim)
        seconds = time.perf_counter() - begun
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mebibytes": mebibytes}))


def fill(store: Store, n_trials: int = N_TRIALS) -> None:
    """Create the study, and write trials that have ended."""
    import sqlalchemy as sa
    from optuna.storages._rdb import models

    from search.study import create
    from search.training.messages import DataLoaded
    from spaces.reader import read_space_text

    data = DataLoaded(
        source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=list("0123456789"),
        n_train=IMAGES, n_validation=400, n_test=1000,
    )  # fmt: skip
    study = create(store, STUDY, read_space_text(SPACE), data, seed=0)
    tables = {
        "trials": models.TrialModel, "params": models.TrialParamModel, "values": models.TrialValueModel,
        "steps": models.TrialIntermediateValueModel, "notes": models.TrialSystemAttributeModel,
        "shown": models.TrialUserAttributeModel,
    }  # fmt: skip
    first = study.trial_id(len(study.trials()) - 1) + 1
    with store.engine.begin() as connection:
        for begin in range(0, n_trials, 500):
            rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
            for offset in range(begin, min(begin + 500, n_trials)):
                for name, row in _rows(study, first + offset, offset):
                    rows[name].append(row)
            for name, model in tables.items():
                connection.execute(sa.insert(model), rows[name])
        if not store.url.is_sqlite:
            connection.exec_driver_sql(f"SELECT setval('trials_trial_id_seq', {first + n_trials})")


def _rows(study: Study, trial_id: int, offset: int) -> Iterator[tuple[str, dict[str, Any]]]:
    from optuna.distributions import distribution_to_json

    from search.distributions import distributions
    from search.trial import Outcome

    number = offset + 1  # the first is the architecture's defaults, which wait
    params = {"learning_rate": 1e-5 * 1000 ** ((offset % 997) / 997), "head_width": 64 * (1 + offset % 8)}
    curve = [
        {
            "epoch": epoch, "images": epoch * IMAGES, "loss": 2.3 / epoch, "accuracy": 1 - 0.9 / epoch,
            "val_loss": 2.4 / epoch, "val_accuracy": _value(offset, epoch), "learning_rate": params["learning_rate"],
        }
        for epoch in range(1, N_STEPS + 1)
    ]  # fmt: skip
    signs = ("loss", "spread", "gradient_first", "gradient_last", "update_ratio", "dead_units")
    vitals = [{"step": step, **dict.fromkeys(signs, 0.01 * step)} for step in range(1, N_VITALS + 1)]
    outcome = Outcome(
        reason="finished", why="Trained all 30 epochs.", epochs=N_STEPS, images=N_STEPS * IMAGES, best_epoch=N_STEPS,
        best_metrics=curve[-1], parameters=54_894, seconds={"train": 30.0, "total": 33.0},
    )  # fmt: skip
    now = datetime(2026, 1, 1)  # noqa: DTZ001  Optuna's column has no time zone
    yield "trials", {
        "trial_id": trial_id, "number": number, "study_id": study.id, "state": "COMPLETE", "datetime_start": now,
        "datetime_complete": now,
    }  # fmt: skip
    for name, kind in distributions(study.space, params).items():
        yield "params", {
            "trial_id": trial_id, "param_name": name, "param_value": kind.to_internal_repr(params[name]),
            "distribution_json": distribution_to_json(kind),
        }  # fmt: skip
    yield "values", {
        "trial_id": trial_id, "objective": 0, "value": _value(offset, N_STEPS), "value_type": "FINITE",
    }  # fmt: skip
    for entry in curve:
        yield "steps", {
            "trial_id": trial_id, "step": entry["images"], "intermediate_value": entry["val_accuracy"],
            "intermediate_value_type": "FINITE",
        }  # fmt: skip
    notes = {"curve": curve, "vitals": vitals, "outcome": asdict(outcome), "seed": offset, "story": ""}
    for key, value in notes.items():
        yield "notes", {"trial_id": trial_id, "key": f"hpsearch:{key}", "value_json": json.dumps(value)}
    for key, value in {"reason": "finished", "epochs": N_STEPS, "seconds": 33.0}.items():
        yield "shown", {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}


def _value(offset: int, epoch: int) -> float:
    return 0.5 + 0.4 * (offset % 89) / 89 * epoch / N_STEPS


if __name__ == "__main__":
    first_claim(*sys.argv[2:]) if "--claim" in sys.argv else main()
