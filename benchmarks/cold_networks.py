"""What TensorFlow's optimization of graphs costs a network that is trained for the first time, and what it gives.

    python benchmarks/cold_networks.py                    # ten minutes
    python benchmarks/cold_networks.py --only MobileNet

Each network is trained three times through hpsearch's trainer in a process of its own, an epoch of 2,048 images each:
cold, known, and with another head; once as the trainer runs, with TensorFlow's defaults, once without any
optimization, in turn. Ends with status 1 where it makes training more than a twentieth slower.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from attendant import hyperparameters, settle, train

NETWORKS: dict[str, dict[str, Any]] = {
    "DenseNet121": {},
    "EfficientNetB1": {},
    "MobileNet": {},
    "VGG16": {"blocks": 3},
    "LeNet5": {},
}
TRIALS: dict[str, dict[str, Any]] = {"cold": {}, "known": {}, "another head": {"head_width": 1024}}
ORDER = ("as usual", "none", "none", "as usual")
N_IMAGES = 2048
SLOWER = 1.05


def main() -> int:
    """Train, and print a Markdown table of the medians of both rounds."""
    options = _options()
    if options.process:
        name, way = options.process
        return _process(name, way, options)
    print("| network | optimization | setup cold, s | another head, s | known, s | training, s | first validation, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ratios = []
    for name in NETWORKS:
        if re.search(options.only, name):
            rounds: dict[str, list[dict[str, list[float]]]] = {way: [] for way in ORDER}
            for way in ORDER:
                rounds[way].append(_apart(name, way, options))
            for way, found in rounds.items():
                print(f"| {name} | {way} | {' | '.join(_row(found))} |", flush=True)
            usual, none = (_median(rounds[way], "training", slice(None)) for way in rounds)
            ratios.append(usual / none)
    print(f"\nSeconds of training with it over those without: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return 0 if max(ratios) <= SLOWER else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare cold trials with and without graph optimization.")
    parser.add_argument("--source", default="idx:../shared/data/emnist-sample", help="images, as in a space file")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--process", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _apart(name: str, way: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each kind, one for each trial."""
    arguments = ["--process", name, way, "--source", options.source, "--threads", str(options.threads)]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return dict(json.loads(done.stdout))


def _process(name: str, way: str, options: argparse.Namespace) -> int:
    settle(options.threads)
    import tensorflow as tf

    from search.training.data.dataset import load_dataset
    from search.training.structures.kept import Structures

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": way == "none"})
    data, structures = load_dataset(options.source, 0.015, N_IMAGES, 0), Structures()
    spent: dict[str, list[float]] = {"setup": [], "training": [], "validation": []}
    for more in TRIALS.values():
        values = hyperparameters(name, **{**NETWORKS[name], **more}, batch_size=256, learning_rate=1e-3, epochs=1)
        with tempfile.TemporaryDirectory() as folder:
            seconds = train(Path(folder), values, data, structures).seconds
        step = seconds.train / (N_IMAGES // 256 - 1)
        for kind, value in zip(spent, (seconds.setup - step, seconds.train, seconds.validate), strict=True):
            spent[kind].append(value)
    print(json.dumps(spent))
    return 0


def _row(found: list[dict[str, list[float]]]) -> list[str]:
    cells = [_median(found, "setup", slice(place, place + 1)) for place in (0, 2, 1)]
    cells += [_median(found, "training", slice(None)), _median(found, "validation", slice(1))]
    return [f"{seconds:.2f}" for seconds in cells]


def _median(found: list[dict[str, list[float]]], kind: str, trials: slice) -> float:
    return statistics.median(value for one in found for value in one[kind][trials])


if __name__ == "__main__":
    raise SystemExit(main())
