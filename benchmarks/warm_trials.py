"""Sixteen short trials through hpsearch's trainers, next to a plain Keras loop.

    python benchmarks/warm_trials.py                        # about twelve minutes
    python benchmarks/warm_trials.py --only 'MobileNet'     # the trials of one network
    python benchmarks/warm_trials.py --figure FILE.svg      # draw the setups, too

Each trial is an epoch of 2,048 images and a validation, in the order in which a search proposes them:
four networks at their defaults first, then learning rates, heads and batch sizes mixed. On one side
hpsearch's trainers take them from one list, spoken to as workers do: one for every two cores, as `hpsearch start`
has them. On the other a loop that builds, compiles, fits with `validation_data` and clears the
session each time goes through the same list with all cores, with oneDNN where TensorFlow chooses it.
They take turns, four trials each, one waiting for the other, so that both see the same machine. Imports are
left out of both. Setup is all that comes before the second step, less what the later steps took on average.
Ends with status 1 when hpsearch makes fewer than four times as many trials a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from attendant import command, hyperparameters
from warming.points import POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable

N_IMAGES = 2048
VALIDATION = 0.015
"""Of the training part: 226 images, about a tenth of those trained on."""
WANTED = 4.0
N_IN_TURN = 4
"""Trials."""
KINDS = {
    "cold": "cold network",
    "new": "new head or batch size",
    "known": "known structure",
}


def main() -> int:
    """Run the trials in both and print Markdown tables."""
    options = _options()
    points = [_point(point) for point in POINTS if re.search(options.only, point["architecture"])]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _Hpsearch(points, Path(folder), options), _Plain(points, options)
        for begin in range(0, len(points), N_IN_TURN):
            for side in (ours, theirs):
                side.train(range(begin, min(begin + N_IN_TURN, len(points))))
        for side in (ours, theirs):
            side.end()
    if options.figure:
        _draw(points, ours, theirs, options.figure)
    return _print(points, ours, theirs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare the seconds of short trials.")
    parser.add_argument("--source", default="idx:../shared/data/emnist-sample", help="images, as in a space file")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--figure", metavar="FILE", type=Path, help="draw the setups of each network")
    return parser.parse_args()


def _point(values: dict[str, Any]) -> dict[str, Any]:
    blocks: dict[str, Any] = {"blocks": 3} if values["architecture"] == "VGG16" else {}
    return hyperparameters(**values, **blocks, epochs=1)


class Side(ABC):
    """One of the two, while it goes through the trials."""

    def __init__(self, points: list[dict[str, Any]]) -> None:
        """Go through `points`, in turns."""
        self.points = points
        self.wall = 0.0
        """Seconds for all trials so far."""
        self.setups: dict[int, float] = {}
        """Seconds of each trial's setup, by number."""
        self.peak = 0.0
        """Memory of all processes at their peaks, MiB, once it has ended."""

    def train(self, numbers: Iterable[int]) -> None:
        """Take a turn."""
        begun = time.perf_counter()
        self._train(numbers)
        self.wall += time.perf_counter() - begun

    @abstractmethod
    def _train(self, numbers: Iterable[int]) -> None:
        """Train some of the points."""

    @abstractmethod
    def end(self) -> None:
        """No more turns: read the memory, and end all processes."""


class _Hpsearch(Side):
    """Trainers that live from the first trial to the last, each spoken to by a thread of this process."""

    def __init__(self, points: list[dict[str, Any]], folder: Path, options: argparse.Namespace) -> None:
        super().__init__(points)
        self._trainers = [_Trainer(folder, place, options) for place in range(max(1, options.cores // 2))]

    def _train(self, numbers: Iterable[int]) -> None:
        left, lock = iter(numbers), Lock()

        def work(trainer: _Trainer) -> None:
            while True:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                trainer.run(number, self.points[number])

        with ThreadPoolExecutor(len(self._trainers)) as pool:
            list(pool.map(work, self._trainers))
        self.setups = {number: seconds for one in self._trainers for number, seconds in one.setups.items()}

    @property
    def kinds(self) -> dict[int, str]:
        """What of each trial was known to its process."""
        found: dict[int, str] = {}
        for trainer in self._trainers:
            found |= _kinds({number: self.points[number] for number in trainer.setups})
        return found

    def end(self) -> None:
        self.peak = sum(trainer.end() for trainer in self._trainers)


def _kinds(points: dict[int, dict[str, Any]]) -> dict[int, str]:
    """What of each trial the trials before it in the same process have made known."""
    networks, heads, sizes = set(), set(), set()
    kinds = {}
    for number, point in points.items():
        network = point["architecture"]
        head, size = (network, point["head_layers"], point["head_width"]), (network, point["batch_size"])
        known = head in heads and size in sizes
        kinds[number] = "cold" if network not in networks else "known" if known else "new"
        networks.add(network)
        heads.add(head)
        sizes.add(size)
    return kinds


class _Trainer:
    """A trainer's process, as a worker has it."""

    def __init__(self, folder: Path, place: int, options: argparse.Namespace) -> None:
        from search.training.messages import LoadData
        from search.worker.trainer import started

        self._folder = folder
        self.setups: dict[int, float] = {}
        threads = options.cores // max(1, options.cores // 2)
        self._trainer = started(threads, folder / f"trainer-{place}.log")
        load = LoadData(source=options.source, validation=VALIDATION, train_limit=N_IMAGES, seed=0)
        self._trainer.request(load, timeout=60)

    def run(self, number: int, point: dict[str, Any]) -> None:
        """Train it."""
        from search.training.messages import EpochEnded, TrialEnded, Verdict

        begun = time.perf_counter()
        self._trainer.send(command(self._folder / str(number), point, trial=number))
        while not isinstance(event := self._trainer.receive(timeout=600), TrialEnded):
            if isinstance(event, EpochEnded):
                self._trainer.send(Verdict(action="continue"))
            elif event is None or type(event).__name__ == "Failed":
                raise RuntimeError(f"trial {number} must end well, but the trainer said {event}")
        spent = event.seconds
        self.setups[number] = spent.setup - spent.train / (_n_steps(point) - 1)
        _say("hpsearch", number, point, self.setups[number], time.perf_counter() - begun)

    def end(self) -> float:
        """Peak memory in MiB; the process is gone afterwards."""
        status = Path(f"/proc/{self._trainer.pid}/status").read_text()
        self._trainer.quit()
        [peak] = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(peak) / 1024


def _n_steps(point: dict[str, Any]) -> int:
    return -(-N_IMAGES // int(point["batch_size"]))


def _say(side: str, number: int, point: dict[str, Any], setup: float, total: float) -> None:
    network = f"{point['architecture']} {point['head_layers']}x{point['head_width']} b{point['batch_size']}"
    print(f"{side:8} {number:2} {network}: setup {setup:.2f} s, in all {total:.1f} s", file=sys.stderr)


class _Plain(Side):
    """The plain loop, in a process of its own."""

    def __init__(self, points: list[dict[str, Any]], options: argparse.Namespace) -> None:
        super().__init__(points)
        command = [
            sys.executable, str(Path(__file__).parent / "warming" / "plain.py"), options.source, str(VALIDATION),
            str(N_IMAGES), str(options.cores),
        ]  # fmt: skip
        # A user does not think of oneDNN: TensorFlow chooses by the processor whether to use it.
        usual = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
        self._process = subprocess.Popen(
            command, env=usual, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._hear()

    def _train(self, numbers: Iterable[int]) -> None:
        assert self._process.stdin is not None
        for number in numbers:
            self._process.stdin.write(json.dumps(self.points[number]) + "\n")
            self._process.stdin.flush()
            spent = self._hear()
            self.setups[number] = spent["setup"]
            _say("plain", number, self.points[number], spent["setup"], spent["total"])

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.peak = self._hear()["peak"]
        self._process.wait()

    def _hear(self) -> dict[str, float]:
        assert self._process.stdout is not None
        heard: dict[str, float] = json.loads(self._process.stdout.readline())
        return heard


def _print(points: list[dict[str, Any]], ours: _Hpsearch, theirs: Side) -> int:
    print("| | trials a minute | peak memory, MiB |\n| --- | --- | --- |")
    rates = [60 * len(points) / side.wall for side in (ours, theirs)]
    for title, rate, side in zip(("hpsearch", "plain Keras"), rates, (ours, theirs), strict=True):
        print(f"| {title} | {rate:.2f} | {side.peak:.0f} |")
    print(f"\nhpsearch's trials a minute over the plain loop's: {rates[0] / rates[1]:.1f}\n")
    print("| setup, seconds | trials | hpsearch, median | largest | plain Keras, median | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind, title in KINDS.items():
        numbers = [number for number in sorted(ours.kinds) if ours.kinds[number] == kind]
        if numbers:
            mine, plain_ones = ([side.setups[number] for number in numbers] for side in (ours, theirs))
            ratio = statistics.median(a / b for a, b in zip(mine, plain_ones, strict=True))
            print(
                f"| {title} | {len(numbers)} | {statistics.median(mine):.2f} | {max(mine):.2f} "
                f"| {statistics.median(plain_ones):.2f} | {ratio:.2f} |"
            )
    return 0 if rates[0] >= WANTED * rates[1] else 1


def _draw(points: list[dict[str, Any]], ours: _Hpsearch, theirs: Side, file: Path) -> None:
    """The median setup of each kind, for each network."""
    import matplotlib.pyplot as plt

    networks = list(dict.fromkeys(point["architecture"] for point in points))
    sides: dict[str, tuple[dict[int, float], str | None]] = {"plain Keras, each trial": (theirs.setups, None)}
    sides |= {f"hpsearch, {title}": (ours.setups, kind) for kind, title in KINDS.items()}
    figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    height = 0.8 / len(sides)
    for place, (label, (setups, kind)) in enumerate(sides.items()):
        medians = [_median(points, setups, network, ours.kinds, kind) for network in networks]
        bars = ax.barh([row + place * height for row in range(len(networks))], medians, height, label=label)
        ax.bar_label(bars, [f"{seconds:.1f}" if seconds else "" for seconds in medians], padding=2, fontsize="x-small")
    ax.set_yticks([row + 1.5 * height for row in range(len(networks))], networks)
    ax.invert_yaxis()
    ax.set_xlabel("seconds before training begins")
    ax.legend(fontsize="small")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _median(
    points: list[dict[str, Any]], setups: dict[int, float], network: str, kinds: dict[int, str], kind: str | None
) -> float:
    found = [
        seconds for number, seconds in setups.items()
        if points[number]["architecture"] == network and kind in (None, kinds[number])
    ]  # fmt: skip
    return statistics.median(found) if found else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
