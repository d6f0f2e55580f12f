"""Whether the validation accuracy of an early epoch is what its weights are worth, and what that costs.

    python benchmarks/honest_scores.py --json honest-scores.json          # an hour; goes on where it was
    python benchmarks/honest_scores.py --only 'DenseNet121 128'           # one network alone, some minutes
    python benchmarks/honest_scores.py --rungs --epochs 1                 # judged as a search judges
    python benchmarks/honest_scores.py --json honest-scores.json --figure docs/images/honest-scores.svg

Trains through the trainer's own code. After each epoch the same weights are validated twice more:
with BatchNorm averages of the whole training part, which is what they are worth, and with the
moving averages that Keras would have kept through the same steps. All of the last step's weights: the mean
that trials are judged by (`weight_average`) is left out here, except with `--rungs`, which judges as a search
does without more being said: within the first epoch, too, on a part of the validation images, and the mean of
the weights. Ends with status 1 when a report
is further off than 0.01 (0.02 where the standard error of the validation part is larger), or the
averages cost more than 4 % of an epoch.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attendant import hyperparameters, settle, train, usual_rungs
from scores.rows import MOST_COST, Row, read, table, write

if TYPE_CHECKING:
    from scores.watch import Honesty, Timed

    from search.training.data.dataset import Dataset
    from search.training.session import Session
    from search.training.tensorflow_runtime import Forward

NETWORKS = ("DenseNet121", "MobileNet", "EfficientNetB1", "ResNet50", "Xception", "LeNet5")
BATCH_SIZES = (128, 1024)
LEARNING_RATE = 1e-3


def main() -> int:
    """Measure what is missing and print the table, or draw what is there."""
    options = _options()
    rows = read(options.json) if options.json else []
    if options.figure:
        from scores.figure import draw

        draw(rows, options.figure)
        return 0
    missing = [case for case in _cases(options.only) if case not in {(row.network, row.batch_size) for row in rows}]
    if missing:
        _measure(missing, rows, options)
    rows.sort(key=lambda row: (NETWORKS.index(row.network), row.batch_size, row.epoch))
    print(table(rows))
    return _verdict(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare reported validation accuracies with what they should be.")
    parser.add_argument("--source", default="idx:../shared/data/emnist-sample", help="images, as in a space file")
    parser.add_argument("--only", metavar="REGEX", default="", help="cases such as 'DenseNet121 128'")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rungs", action="store_true", help="judge within the first epoch, too, as a search does")
    parser.add_argument("--train-limit", metavar="N", type=int, help="training images at most (all)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE", type=Path, help="keep the rows there; cases that it has are not run")
    parser.add_argument("--figure", metavar="FILE", type=Path, help="draw what --json has, and measure nothing")
    parser.add_argument("--processor-time", action="store_true", help="not wall time: where others use the machine")
    options = parser.parse_args()
    if options.figure and not options.json:
        parser.error("--figure draws the rows of --json FILE, but no file was given")
    return options


def _cases(only: str) -> list[tuple[str, int]]:
    cases = [(network, batch_size) for network in NETWORKS for batch_size in BATCH_SIZES]
    return [case for case in cases if re.search(only, f"{case[0]} {case[1]}")]


def _measure(cases: list[tuple[str, int]], rows: list[Row], options: argparse.Namespace) -> None:
    settle(options.threads, processor_time=options.processor_time)
    from scores.watch import Honesty, watching

    from search.training.data.dataset import load_dataset
    from search.training.structures.kept import Structures

    dataset = load_dataset(options.source, train_limit=options.train_limit)
    structures = Structures()
    judge_at = usual_rungs(len(dataset.train), options.epochs) if options.rungs else ()
    found: list[Row] = []

    def say(row: Row) -> None:
        found.append(row)
        print(row, file=sys.stderr)

    def honesty(session: Session, data: Dataset, forward: Forward, timed: Timed) -> Honesty:
        return Honesty(session, data, forward, timed, say)

    known = cases[0][0]
    for network, batch_size in cases:
        if network != known:
            structures.forget()
        known = network
        found.clear()
        values = hyperparameters(
            network, batch_size=batch_size, epochs=options.epochs, learning_rate=LEARNING_RATE, patience=options.epochs,
            **({} if options.rungs else {"weight_average": "none"}),
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder, watching(honesty):
            train(Path(folder), values, dataset, structures, judge_at)
        rows.extend(found)
        if options.json:
            write(rows, options.json)


def _verdict(rows: list[Row]) -> int:
    if not rows:
        return 1
    dishonest = [row for row in rows if not row.is_honest]
    dear = [row for row in rows if row.share > MOST_COST]
    worst = max(rows, key=lambda row: abs(row.difference))
    total = sum(row.cost for row in rows) / sum(row.seconds for row in rows)
    print(f"\n{len(rows) - len(dishonest)} of {len(rows)} reports within the tolerance; largest difference "
          f"{worst.difference:+.3f} ({worst.network}, batch {worst.batch_size}, epoch {worst.epoch}). "
          f"Cost in all {100 * total:.1f} % of the epochs, above 4 % in {len(dear)} of them.")  # fmt: skip
    for row in rows:
        if (row.network, row.batch_size, row.epoch) == ("DenseNet121", BATCH_SIZES[0], 2):
            print(
                f"DenseNet121 after two epochs of batch 128: {row.reported:.3f}; with Keras' averages {row.keras:.3f}."
            )
    return 1 if dishonest or dear else 0


if __name__ == "__main__":
    raise SystemExit(main())
