"""What leases and checkpoints cost of a trial of about a minute, as a share of it; the aim is under two hundredths.

    python benchmarks/nothing_lost.py

One trial of a short ResNet on the bundled digits, by one worker with one thread, a checkpoint each epoch. The
trainer's own clock says what writing took (checkpoints and best weights). In the worker, each call of the ledger
(taking, beating, looking for leases that ran out, deciding, ending) is timed on the processor time of its thread. What
else the worker's process spends from taking the trial to its end is told, too: judgements, records and pictures,
which a search without leases and checkpoints would also have.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

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
        work = [sys.executable, __file__, "--worker", str(folder / "ledger.json"), "minute", "--threads", "1"]
        worker = subprocess.Popen(work, cwd=folder, env=environment)
        try:
            with open_store(environment["HPSEARCH_STORAGE"], create=False) as store:
                trial, spent = watched(store, worker.pid)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
        leases = json.loads((folder / "ledger.json").read_text())
    assert trial.outcome is not None
    seconds = trial.outcome.seconds
    total, writing = seconds["total"], seconds["checkpoint"]
    kept = writing + leases["seconds"]
    print("| | seconds | of the trial |\n| --- | --- | --- |")
    for title, part in (
        (f"trial of {EPOCHS} epochs, {trial.outcome.parameters:,} weights", total),
        ("checkpoints and best weights, by the trainer", writing),
        (f"leases, {leases['calls']} calls by the worker, its start and end included", leases["seconds"]),
        ("both", kept),
        ("all else that the worker's process spent meanwhile", spent - leases["seconds"]),
    ):
        print(f"| {title} | {part:.2f} | {100 * part / total:.2f} % |")
    sys.exit(kept / total > AIM)


def timed_worker(file: str, arguments: list[str]) -> None:
    """Be a worker, and note at the end what its ledger's calls took."""
    from search.main import main as hpsearch
    from storage.ledger import Ledger

    spent = {"calls": 0, "seconds": 0.0}

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            begun = time.thread_time()
            try:
                return method(*arguments, **more)
            finally:
                spent["calls"] += 1
                spent["seconds"] += time.thread_time() - begun

        return call

    for name in dir(Ledger):
        if not name.startswith("_"):
            setattr(Ledger, name, timed(getattr(Ledger, name)))
    sys.argv = ["hpsearch", "worker", *arguments]
    try:
        hpsearch()
    finally:
        Path(file).write_text(json.dumps(spent))


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
    timed_worker(sys.argv[2], sys.argv[3:]) if "--worker" in sys.argv else main()
