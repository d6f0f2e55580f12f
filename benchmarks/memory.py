"""Whether a worker's memory stays flat over many trials.

    python benchmarks/memory.py

Thirty trials of three architectures in turn, each with another width of its head than the trial
before, in one worker: compiled networks are kept and must not add up. Prints the resident memory of the
worker and of its trainer at the end of each trial; ends with status 1 when the last ten trials'
median is more than a tenth above that of the second five (the first five fill the caches).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_TRIALS = 30
ALLOWED = 1.10
ARCHITECTURES = ("LeNet5", "ShortResNet", "MobileNet")

SPACE = f"""\
study: memory
data: {{source: mnist-5k, train_limit: 200}}
search:
  architecture: {{choice: [{", ".join(ARCHITECTURES)}]}}
  learning_rate: {{float: [1e-4, 1e-2], log: true}}
  head_width: {{int: [16, 480], step: 16}}
fixed: {{batch_size: 50, stages: 2, blocks_per_stage: 1}}
budget: {{epochs: 1, trials: {N_TRIALS}}}
pruner: {{name: none}}
"""


def main() -> int:
    """Run the study, print memory by trial and the verdict."""
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name))
    print("| trial | architecture | worker, MiB | trainer, MiB |\n| --- | --- | --- | --- |")
    for number, (architecture, worker, trainer) in enumerate(found):
        print(f"| {number} | {architecture} | {worker:.0f} | {trainer:.0f} |")
    ratios = [
        statistics.median(column[-10:]) / statistics.median(column[5:10])
        for column in ([worker for _, worker, _ in found], [trainer for _, _, trainer in found])
    ]
    print(f"\nlast ten over the second five: worker {ratios[0]:.2f}, trainer {ratios[1]:.2f}")
    return 0 if max(ratios) <= ALLOWED else 1


def measured(folder: Path) -> list[tuple[str, float, float]]:
    """Architecture, worker's and trainer's MiB at the end of each trial."""
    from search.study import Study
    from storage.store import open_store

    points = [
        {"architecture": ARCHITECTURES[number % 3], "learning_rate": 1e-3, "head_width": 16 * number}
        for number in range(len(ARCHITECTURES), N_TRIALS)
    ]
    lines = [f"  - {json.dumps(point)}" for point in points]
    (folder / "memory.yaml").write_text(SPACE + "try_first:\n" + "\n".join(lines) + "\n")
    url = f"sqlite:///{folder}/hpsearch.db"
    environment = {**os.environ, "HPSEARCH_STORAGE": url}
    command = [sys.executable, "-m", "search"]
    create = [*command, "start", "--space", "memory.yaml", "--workers", "0"]
    subprocess.run(create, cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
    work = [*command, "worker", "memory", "--drain", "--threads", "1"]
    worker = subprocess.Popen(work, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    found: list[tuple[str, float, float]] = []
    with open_store(url) as store:
        study = Study(store, "memory")
        while worker.poll() is None:
            ended = [trial for trial in study.trials() if trial.state == "complete"]
            memory = resident(worker.pid)
            for trial in ended[len(found) :]:
                found.append((str(trial.params["architecture"]), *memory))
                print(f"trial {trial.number} ended, trainer {memory[1]:.0f} MiB", file=sys.stderr)
            time.sleep(0.1)
        assert [trial.state for trial in study.trials()] == ["complete"] * N_TRIALS
    return found


def resident(pid: int) -> tuple[float, float]:
    """MiB of a worker and of its trainer; 0 where there is none."""
    import psutil

    try:
        worker = psutil.Process(pid)
        trainer = sum(child.memory_info().rss for child in worker.children())
        return worker.memory_info().rss / 2**20, trainer / 2**20
    except psutil.Error:
        return 0.0, 0.0


if __name__ == "__main__":
    sys.exit(main())
