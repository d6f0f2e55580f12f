"""Sixteen short trials through hpsearch's trainer, next to a plain Keras loop.

    python benchmarks/warm_trials.py                        # about ten minutes
    python benchmarks/warm_trials.py --only 'MobileNet'     # the trials of one network

Each trial is an epoch of 2,048 images and a validation, in the order in which a search proposes them:
four networks at their defaults first, then learning rates, heads and batch sizes mixed. Two processes
that live from the first trial to the last take turns at each of them, with the same data, networks and
number of threads: hpsearch's trainer, spoken to as a worker does, and a loop that builds, compiles, fits
with `validation_data` and clears the session each time. Imports are left out of both. Ends with status 1
when hpsearch makes fewer than four times as many trials a minute.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from attendant import command, environment, hyperparameters

N_IMAGES = 2048
WANTED = 4.0
POINTS: tuple[dict[str, Any], ...] = (
    {"architecture": "DenseNet121", "dropout": 0.0, "learning_rate": 1e-3},
    {"architecture": "MobileNet", "dropout": 0.0, "learning_rate": 1e-3},
    {"architecture": "EfficientNetB1", "dropout": 0.0, "learning_rate": 1e-3},
    {"architecture": "VGG16", "dropout": 0.0, "learning_rate": 1e-4},
    {"architecture": "DenseNet121", "dropout": 0.3, "learning_rate": 2e-3},
    {"architecture": "MobileNet", "head_width": 1024, "dropout": 0.1, "learning_rate": 4e-3},
    {"architecture": "DenseNet121", "head_layers": 2, "head_width": 1536, "dropout": 0.2, "learning_rate": 5e-4},
    {"architecture": "EfficientNetB1", "batch_size": 512, "dropout": 0.4, "learning_rate": 3e-3},
    {"architecture": "VGG16", "dropout": 0.3, "learning_rate": 3e-4},
    {"architecture": "MobileNet", "head_width": 1024, "dropout": 0.2, "learning_rate": 2e-3},
    {"architecture": "DenseNet121", "batch_size": 512, "dropout": 0.3, "learning_rate": 1e-3},
    {"architecture": "EfficientNetB1", "dropout": 0.1, "learning_rate": 5e-3},
    {"architecture": "VGG16", "head_layers": 2, "head_width": 1024, "dropout": 0.5, "learning_rate": 2e-4},
    {"architecture": "MobileNet", "batch_size": 768, "head_width": 2048, "dropout": 0.0, "learning_rate": 8e-3},
    {"architecture": "EfficientNetB1", "head_width": 2560, "dropout": 0.2, "learning_rate": 1e-3},
    {"architecture": "VGG16", "batch_size": 512, "dropout": 0.1, "learning_rate": 1e-4},
)
"""Batch size 256 and one dense layer of 512 where nothing else is said."""
KINDS = {
    "cold": "cold network",
    "new": "new head or batch size",
    "known": "known structure",
}


def main() -> int:
    """Run the trials in both and print Markdown tables."""
    options = _options()
    points = [_point(point) for point in POINTS if re.search(options.only, point["architecture"])]
    kinds = _kinds(points)
    with tempfile.TemporaryDirectory() as folder:
        sides = (_Hpsearch(Path(folder), options), _Plain(options))
        found = [
            _report(number, point, kind, [side.run(number, point) for side in sides])
            for number, (point, kind) in enumerate(zip(points, kinds, strict=True))
        ]
        peaks = [side.end() for side in sides]
    return _print(found, kinds, peaks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare the seconds of short trials.")
    parser.add_argument("--source", default="idx:../shared/data/emnist-sample", help="images, as in a space file")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processor-time", action="store_true", help="not wall time: where others use the machine")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _point(values: dict[str, Any]) -> dict[str, Any]:
    blocks = {"blocks": 3} if values["architecture"] == "VGG16" else {}
    return hyperparameters(**values, **blocks, epochs=1)


def _kinds(points: list[dict[str, Any]]) -> list[str]:
    """What of each trial the trials before it have made known."""
    networks, heads, sizes = set(), set(), set()
    kinds = []
    for point in points:
        network = point["architecture"]
        head, size = (network, point["head_layers"], point["head_width"]), (network, point["batch_size"])
        kinds.append("cold" if network not in networks else "known" if head in heads and size in sizes else "new")
        networks.add(network)
        heads.add(head)
        sizes.add(size)
    return kinds


class _Hpsearch:
    """The trainer's process, as a worker has it."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        from search.training.messages import LoadData
        from search.worker.trainer import started

        self._folder = folder
        self._processor_time = options.processor_time
        self._trainer = started(options.threads, folder / "trainer.log")
        load = LoadData(source=options.source, validation=0.1, train_limit=N_IMAGES, seed=0)
        self._trainer.request(load, timeout=60)

    def run(self, number: int, point: dict[str, Any]) -> dict[str, float]:
        """Seconds of setup, first step included, and in all."""
        from search.training.messages import EpochEnded, Progress, TrialEnded, Verdict

        begun, setup = self._clock(), 0.0
        self._trainer.send(command(self._folder / str(number), point, trial=number))
        while not isinstance(event := self._trainer.receive(timeout=600), TrialEnded):
            if isinstance(event, Progress):
                setup = setup or self._clock() - begun  # the first one comes with the first step
            elif isinstance(event, EpochEnded):
                self._trainer.send(Verdict(action="continue"))
            elif event is None or type(event).__name__ == "Failed":
                raise RuntimeError(f"trial {number} must end well, but the trainer said {event}")
        return {"setup": setup, "total": self._clock() - begun}

    def _clock(self) -> float:
        if not self._processor_time:
            return time.perf_counter()
        spent = psutil.Process(self._trainer.pid).cpu_times()
        return spent.user + spent.system

    def end(self) -> float:
        """Peak memory in MiB; the process is gone afterwards."""
        status = Path(f"/proc/{self._trainer.pid}/status").read_text()
        self._trainer.quit()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


class _Plain:
    """The plain loop below, in a process of its own."""

    def __init__(self, options: argparse.Namespace) -> None:
        command = [sys.executable, __file__, "--plain", "--source", options.source, "--threads", str(options.threads)]
        if options.processor_time:
            command.append("--processor-time")
        self._process = subprocess.Popen(
            command,
            env=environment(options.threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        self._hear()

    def run(self, number: int, point: dict[str, Any]) -> dict[str, float]:
        """As of the other."""
        self._process.stdin.write(json.dumps(point) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def end(self) -> float:
        """As of the other."""
        self._process.stdin.close()
        peak = self._hear()["peak"]
        self._process.wait()
        return peak

    def _hear(self) -> dict[str, float]:
        return json.loads(self._process.stdout.readline())


def plain(options: argparse.Namespace) -> None:
    """What a user writes who follows Keras' documentation: a trial for each line that comes in."""
    import resource

    import keras
    import tensorflow as tf

    from search.training.data.dataset import load_dataset
    from search.training.hyperparameters import Hyperparameters
    from search.training.models import build_model

    clock = time.process_time if options.processor_time else time.perf_counter
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    data = load_dataset(options.source, train_limit=N_IMAGES)
    x, y = data.images[data.train], data.labels[data.train]
    validation = (data.images[data.validation], data.labels[data.validation])

    class FirstStep(keras.callbacks.Callback):
        """When it has ended."""

        ended = 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.ended = self.ended or clock()

    print(json.dumps({"ready": 1}), flush=True)
    for line in sys.stdin:
        values = json.loads(line)
        begun = clock()
        model = build_model(Hyperparameters.from_dict(values), x.shape[1:], len(data.classes))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(values["learning_rate"]), loss, metrics=["accuracy"])
        first = FirstStep()
        model.fit(
            x, y, batch_size=values["batch_size"], epochs=1, validation_data=validation, callbacks=[first], verbose=0
        )
        keras.backend.clear_session()
        print(json.dumps({"setup": first.ended - begun, "total": clock() - begun}), flush=True)
    print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)


def _report(number: int, point: dict[str, Any], kind: str, both: list[dict[str, float]]) -> list[dict[str, float]]:
    print(
        f"{number:2} {point['architecture']} {point['head_layers']}x{point['head_width']} b{point['batch_size']} "
        f"({KINDS[kind]}): setup {both[0]['setup']:.2f} s, in all {both[0]['total']:.1f} s; "
        f"plain {both[1]['setup']:.2f} s, in all {both[1]['total']:.1f} s",
        file=sys.stderr,
    )
    return both


def _print(found: list[list[dict[str, float]]], kinds: list[str], peaks: list[float]) -> int:
    print("| | trials a minute | peak memory, MiB |\n| --- | --- | --- |")
    rates = [60 * len(found) / sum(both[side]["total"] for both in found) for side in (0, 1)]
    for title, rate, peak in zip(("hpsearch", "plain Keras"), rates, peaks, strict=True):
        print(f"| {title} | {rate:.2f} | {peak:.0f} |")
    print(f"\nhpsearch's trials a minute over the plain loop's: {rates[0] / rates[1]:.1f}\n")
    print("| seconds until the first step's end | trials | hpsearch, median | largest | plain Keras, median | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in dict.fromkeys(kinds):
        of_kind = [both for both, one in zip(found, kinds, strict=True) if one == kind]
        ours, theirs = ([both[side]["setup"] for both in of_kind] for side in (0, 1))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"| {KINDS[kind]} | {len(of_kind)} | {statistics.median(ours):.2f} | {max(ours):.2f} "
            f"| {statistics.median(theirs):.2f} | {ratio:.2f} |"
        )
    return 0 if rates[0] >= WANTED * rates[1] else 1


if __name__ == "__main__":
    plain(_options()) if "--plain" in sys.argv else sys.exit(main())
