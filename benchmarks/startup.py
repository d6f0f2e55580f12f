"""How long a user waits for an answer that needs no training, next to Optuna's own command line.

    python benchmarks/startup.py

Each pair is run in turn, so that a busy machine slows both; the ratio of the medians is what counts.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_ROUNDS = 7
N_TRIALS = 1000
N_EPOCHS = 10
STUDY = "thousand"

SPACE = """\
study: thousand
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-5, 1e-2], log: true}
  head_width: {int: [512, 4096], step: 512}
  dropout: {float: [0.0, 0.6]}
fixed: {architecture: LeNet5}
budget: {epochs: 50}
"""


def main() -> None:
    """Measure all pairs and print them as a Markdown table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "space.yaml").write_text(SPACE)
        (folder / "bad.yaml").write_text(SPACE.replace("dropout", "droput"))
        print(f"writing a study of {N_TRIALS} trials …", file=sys.stderr)
        make_study(folder)
        storage = f"sqlite:///{folder}/hpsearch.db"
        scripts = Path(sys.executable).parent
        hpsearch, optuna = [str(scripts / "hpsearch")], [str(scripts / "optuna")]
        rows = [
            ("`--help`", [*hpsearch, "--help"], [*optuna, "--help"]),
            ("usage error", [*hpsearch, "nonsense"], [*optuna, "nonsense"]),
            ("bad space file", [*hpsearch, "start", "--space", "bad.yaml"], [*optuna, "ask", "--search-space", "{"]),
            (
                f"status of {N_TRIALS:,} trials",
                [*hpsearch, "status", STUDY],
                [*optuna, "trials", "--study-name", STUDY, "--storage", storage],
            ),
        ]
        print("| | hpsearch, s | Optuna's command, s | ratio |\n| --- | --- | --- | --- |")
        for title, ours, theirs in rows:
            print(line(title, *in_turn(ours, theirs, folder)))
        print(line(f"next point after {N_TRIALS:,} trials (one process)", *proposals(folder, storage)))


def line(title: str, ours: list[float], theirs: list[float]) -> str:
    """One row: medians and their ratio."""
    one, other = statistics.median(ours), statistics.median(theirs)
    return f"| {title} | {one:.2f} | {other:.2f} | {one / other:.2f} |"


def in_turn(ours: list[str], theirs: list[str], folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of both commands, A B A B …, after one round that is not counted."""
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(N_ROUNDS + 1):
        for command, seconds in zip((ours, theirs), found, strict=True):
            begun = time.perf_counter()
            subprocess.run(command, cwd=folder, capture_output=True, check=False, env=environment(folder))
            if number:
                seconds.append(time.perf_counter() - begun)
    return found


def environment(folder: Path) -> dict[str, str]:
    """The environment of a user whose study is in the folder."""
    return {**os.environ, "HPSEARCH_STORAGE": f"sqlite:///{folder}/hpsearch.db"}


def make_study(folder: Path) -> None:
    """A study as a long search leaves it: ended trials with curves."""
    import optuna

    from search.codec import OWN
    from search.distributions import distributions
    from search.study import create
    from search.training.messages import DataLoaded
    from spaces.reader import read_space
    from storage.store import open_store

    space = read_space(folder / "space.yaml")
    data = DataLoaded(
        source="mnist-5k", fingerprint="0" * 64, image_shape=(28, 28, 1), classes=list("0123456789"),
        n_train=3600, n_validation=400, n_test=1000,
    )  # fmt: skip
    with open_store(f"sqlite:///{folder}/hpsearch.db", folder / "files") as store:
        study = create(store, STUDY, space, data, 0)
        for number in range(N_TRIALS):
            values = {
                "learning_rate": 10 ** (-5 + 3 * number / N_TRIALS),
                "head_width": 512 * (1 + number % 8),
                "dropout": number % 7 / 10,
            }
            curve = [{"epoch": e, "val_accuracy": e / 20, "val_loss": 1.0} for e in range(1, N_EPOCHS + 1)]
            store.optuna.create_new_trial(
                study.id,
                optuna.trial.create_trial(
                    value=0.5 + number / (2 * N_TRIALS), params=values, distributions=distributions(space, values),
                    system_attrs={OWN + "curve": curve},
                    intermediate_values={e: e / 20 for e in range(1, N_EPOCHS + 1)},
                ),
            )  # fmt: skip


def proposals(folder: Path, storage: str) -> tuple[list[float], list[float]]:
    """Seconds for the next point: ours from the study's records, Optuna's with `ask` and `suggest`."""
    import optuna

    from search.study import Study
    from search.worker.proposal import propose
    from storage.store import open_store

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found: tuple[list[float], list[float]] = ([], [])
    with open_store(storage, folder / "files") as store:
        study = Study(store, STUDY)
        theirs = optuna.load_study(study_name=STUDY, storage=storage, sampler=optuna.samplers.TPESampler(seed=0))
        for number in range(N_ROUNDS + 1):
            begun = time.perf_counter()
            propose(study.space, study.trials(), number)
            between = time.perf_counter()
            trial = theirs.ask()
            trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True)
            trial.suggest_int("head_width", 512, 4096, step=512)
            trial.suggest_float("dropout", 0.0, 0.6)
            ended = time.perf_counter()
            theirs.tell(trial, 0.5)
            if number:
                found[0].append(between - begun)
                found[1].append(ended - between)
    return found


if __name__ == "__main__":
    main()
