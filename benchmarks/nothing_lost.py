"""What leases and checkpoints cost of a trial of about a minute, as a share of it; the aim is under two hundredths.

    python benchmarks/nothing_lost.py

One trial of a short ResNet on the bundled digits, by one worker with one thread, a checkpoint each epoch. The
trainer's own clock says what writing took (checkpoints and best weights); the worker's system clock says what
its process spent from when it took the trial to when that had ended: beats, judgements, rounds and records, all of it
counted, whatever it was for. The worker's part is an upper bound: it mostly runs while the trainer trains.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.trial import TrialRecord
    from storage.store import Store

AIM = 0.02
EPOCHS = 14
SPACE = f"""\
study: minute
data: {{source: mnist-5k}}
search: {{learning_rate: {{float: [1e-4, 1e-2], log: true}}}}
fixed: {{architecture: ShortResNet, stages: 3, blocks_per_stage: 1, batch_size: 100, head_width: 64, patience: 1000}}
budget: {{epochs: {EPOCHS}, trials: 1}}
pruner: {{name: none}}
"""


def main() -> None:
    """Train it, and print a Markdown table; status 1 where the share is above the aim."""
    from storage.store import open_store

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "minute.yaml").write_text(SPACE)
        environment = {**os.environ, "HPSEARCH_STORAGE": f"sqlite:///{folder}/hpsearch.db"}
        hpsearch = [sys.executable, "-m", "search"]
        create = [*hpsearch, "start", "--space", "minute.yaml", "--workers", "0"]
        subprocess.run(create, cwd=folder, env=environment, check=True)
        work = [*hpsearch, "worker", "minute", "--threads", "1"]
        worker = subprocess.Popen(work, cwd=folder, env=environment)
        try:
            with open_store(environment["HPSEARCH_STORAGE"], create=False) as store:
                trial, spent = watched(store, worker.pid)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
    assert trial.outcome is not None
    seconds = trial.outcome.seconds
    total, writing = seconds["total"], seconds["checkpoint"]
    share = (writing + spent) / total
    print("| | seconds | of the trial |\n| --- | --- | --- |")
    for title, part in (
        (f"trial of {EPOCHS} epochs, {trial.outcome.parameters:,} weights", total),
        ("checkpoints and best weights, by the trainer", writing),
        ("beats, judgements, records, by the worker's processor time", spent),
        ("both", writing + spent),
    ):
        print(f"| {title} | {part:.2f} | {100 * part / total:.2f} % |")
    sys.exit(share > AIM)


def watched(store: Store, pid: int) -> tuple[TrialRecord, float]:
    """The trial once it has ended, and processor seconds that its worker has spent from taking it to then."""
    import psutil

    from search.study import Study

    study, process = Study(store, "minute"), psutil.Process(pid)

    def processor() -> float:
        used = process.cpu_times()
        return used.user + used.system

    before = None
    while True:
        [trial] = study.trials()
        if trial.state == "running" and before is None and trial.attempts:
            before = processor()
        if trial.state == "complete" and before is not None:
            return trial, processor() - before
        if trial.state == "failed":
            sys.exit(f"the trial failed: {trial.outcome}")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
