"""Where BatchNorm's averages come from, and how true a validation accuracy is with them.

    python benchmarks/averages.py                          # a quarter of an hour
    python benchmarks/averages.py --only MobileNet         # one network, some minutes

Trains the first epoch of each network through the trainer's own code. At each judgement, as a search has them, the
same weights are validated with averages of all training images, and with others: moving ones as Keras keeps them, with
its own momentum and smaller ones, and such as are computed anew from some training images (three samples each). Prints
how far off the accuracies are.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from attendant import hyperparameters, settle, train, usual_rungs

if TYPE_CHECKING:
    from scores.watch import Timed

    from search.training.callbacks.base import TrialCallback
    from search.training.data.dataset import Dataset
    from search.training.session import Session
    from search.training.tensorflow_runtime import Forward

NETWORKS = ("DenseNet121", "MobileNet", "EfficientNetB1", "ResNet50")
MOMENTA = (0.99, 0.9, 0.5)
SIZES = (128, 256, 512, 1024)


def main() -> None:
    """Train, and print a table."""
    options = _options()
    settle(options.threads)
    from scores.watch import Cures, watching

    from search.training.data.dataset import load_dataset
    from search.training.structures.kept import Structures

    dataset = load_dataset(options.source)
    judge_at = usual_rungs(len(dataset.train), 1)
    found: dict[str, list[float]] = defaultdict(list)

    def cures(session: Session, data: Dataset, forward: Forward, _: Timed) -> TrialCallback:
        return Cures(session, data, forward, (MOMENTA, SIZES), lambda cure, off: found[cure].append(off))

    for network in NETWORKS:
        if re.search(options.only, network):
            values = hyperparameters(network, batch_size=options.batch_size, epochs=1, learning_rate=1e-3)
            with tempfile.TemporaryDirectory() as folder, watching(cures):
                train(Path(folder), values, dataset, Structures(), judge_at)
    print(_table(found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare where BatchNorm's averages come from.")
    parser.add_argument("--source", default="idx:../shared/data/emnist-sample", help="images, as in a space file")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def _table(found: dict[str, list[float]]) -> str:
    lines = ["| averages | looked at | off by, mean | largest |", "| --- | --- | --- | --- |"]
    for cure, offs in found.items():
        sizes = [abs(off) for off in offs]
        lines.append(f"| {cure} | {len(sizes)} | {statistics.fmean(sizes):.3f} | {max(offs, key=abs):+.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
