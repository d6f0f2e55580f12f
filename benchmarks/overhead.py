"""What twelve short trials cost besides training, next to a plain Optuna and Keras script.

    python benchmarks/overhead.py

The same twelve networks with the same parameters, data and epochs; one process trains in both,
with the same number of threads. Wall time, imports included, over the seconds spent in training
and validating; some minutes in all, and what each trial came to on stderr. Needs the benchmark
dependencies (`make install-benchmark`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

N_THREADS = 1
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3)  # all of them train: a trial that fails is no measure
NETWORKS: tuple[dict[str, Any], ...] = (
    {"architecture": "LeNet5"},
    {"architecture": "ShortResNet"},
)
EPOCHS = 2
TRAIN_LIMIT = 1000

SPACE = f"""\
study: twelve
data: {{source: mnist-5k, train_limit: {TRAIN_LIMIT}}}
search:
  architecture: {{choice: [LeNet5, ShortResNet]}}
  learning_rate: {{float: [1e-5, 1e-1], log: true}}
fixed: {{batch_size: 100, head_width: 64, stages: 2, blocks_per_stage: 1}}
budget: {{epochs: {EPOCHS}, trials: 12}}
pruner: {{name: none}}
"""


def points() -> list[dict[str, Any]]:
    """The twelve: the architectures' defaults are tried anyway, so they are among them."""
    return [{**network, "learning_rate": rate} for network in NETWORKS for rate in RATES]


def main() -> None:
    """Run both and print a Markdown table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = run_hpsearch(folder)
        theirs = run_plain(folder)
    print("| | wall, s | train + validate, s | wall over that | best accuracy |\n| --- | --- | --- | --- | --- |")
    for title, (wall, training, best) in (("hpsearch", ours), ("Optuna + KerasPruningCallback", theirs)):
        print(f"| {title} | {wall:.0f} | {training:.0f} | {wall / training:.2f} | {best:.3f} |")
    print(f"\nhpsearch's wall time over the plain script's: {ours[0] / theirs[0]:.2f}")


def run_hpsearch(folder: Path) -> tuple[float, float, float]:
    """Wall seconds, training seconds and best value of a study."""
    from storage.store import open_store

    defaults = [point for point in points() if point["learning_rate"] == 1e-3]
    first = [point for point in points() if point not in defaults]
    text = SPACE + "try_first:\n" + "".join(f"  - {json.dumps(point)}\n" for point in first)
    (folder / "twelve.yaml").write_text(text)
    environment = {**os.environ, "HPSEARCH_STORAGE": f"sqlite:///{folder}/hpsearch.db"}
    hpsearch = [sys.executable, "-m", "search"]
    begun = time.perf_counter()
    create = [*hpsearch, "start", "--space", "twelve.yaml", "--workers", "0"]
    subprocess.run(create, cwd=folder, env=environment, check=True)
    work = [*hpsearch, "worker", "twelve", "--drain", "--threads", str(N_THREADS)]
    subprocess.run(work, cwd=folder, env=environment, check=True)
    wall = time.perf_counter() - begun
    from search.study import Study

    with open_store(f"sqlite:///{folder}/hpsearch.db") as store:
        trials = Study(store, "twelve").trials()
    assert [trial.state for trial in trials] == ["complete"] * 12, [trial.state for trial in trials]
    spent = [trial.outcome.seconds for trial in trials if trial.outcome]
    return wall, sum(s["train"] + s["validate"] for s in spent), max(trial.value or 0.0 for trial in trials)


def run_plain(folder: Path) -> tuple[float, float, float]:
    """The same for the script below, in a process of its own."""
    begun = time.perf_counter()
    command = [sys.executable, __file__, "--plain"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    wall = time.perf_counter() - begun
    answer = json.loads(done.stdout.splitlines()[-1])
    return wall, answer["training"], answer["best"]


def plain() -> None:
    """What a user writes who follows Optuna's and Keras' documentation."""
    import keras
    import numpy as np
    import optuna
    import tensorflow as tf
    from optuna_integration import KerasPruningCallback

    from search.training.data.dataset import load_dataset
    from search.training.hyperparameters import Hyperparameters
    from search.training.models import build_model
    from spaces.reader import read_space

    tf.config.threading.set_intra_op_parallelism_threads(N_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(N_THREADS)
    space = read_space(Path("twelve.yaml"))
    data = load_dataset("mnist-5k", 0.1, TRAIN_LIMIT, 0)
    x, y = data.images[data.train], data.labels[data.train]
    x_validation, y_validation = data.images[data.validation], data.labels[data.validation]
    spent = []

    class Stopwatch(keras.callbacks.Callback):
        """Training and validation, without the first step's tracing."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if not hasattr(self, "begun"):
                self.begun = time.perf_counter()

        def on_train_end(self, logs: Any = None) -> None:
            spent.append(time.perf_counter() - self.begun)

    def objective(trial: optuna.Trial) -> float:
        architecture = trial.suggest_categorical("architecture", [n["architecture"] for n in NETWORKS])
        rate = trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)
        keras.backend.clear_session()
        values = space.complete({"architecture": architecture, "learning_rate": rate})
        model = build_model(Hyperparameters.from_dict(values), x.shape[1:], 10, None)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        history = model.fit(
            x, y, batch_size=100, epochs=EPOCHS, validation_data=(x_validation, y_validation), verbose=0,
            callbacks=[KerasPruningCallback(trial, "val_accuracy"), Stopwatch()],
        )  # fmt: skip
        return float(np.max(history.history["val_accuracy"]))

    study = optuna.create_study(direction="maximize", storage="sqlite:///plain.db", pruner=optuna.pruners.NopPruner())
    for point in points():
        study.enqueue_trial(point)
    study.optimize(objective, n_trials=12)
    print(json.dumps({"training": sum(spent), "best": study.best_value}))


if __name__ == "__main__":
    plain() if "--plain" in sys.argv else main()
