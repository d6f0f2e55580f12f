"""What a peer's winner is worth on the test part: `python -m racing.measure FOLDER SOURCE THREADS`, after the race.

The averages of BatchNorm are measured as they stood. The same code measures hpsearch's winner.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from racing.board import BEST
from search.training import process


def main() -> None:
    """Print accuracy and number of images as JSON."""
    folder, source, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    process.prepare(threads)
    from search.training import tensorflow_runtime
    from search.training.data.dataset import load_dataset
    from search.training.evaluate import evaluate
    from search.training.export import export
    from search.training.messages import Evaluate, Export

    tensorflow_runtime.configure(threads)
    best = json.loads((folder / BEST).read_text())
    dataset = load_dataset(source)
    weights, winner = str(folder / best["weights"]), str(folder / "winner")
    export(Export(hyperparameters=best["hyperparameters"], weights=weights, folder=winner, builders=None), dataset)
    report = evaluate(Evaluate(folder=winner, split="test", builders=None), dataset).report
    print(json.dumps({"accuracy": report["accuracy"], "n": report["n"]}))


if __name__ == "__main__":
    main()
