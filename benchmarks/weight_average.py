"""What the mean of the last steps' weights is worth, next to the weights of the last step.

    python benchmarks/weight_average.py                        # a quarter of an hour
    python benchmarks/weight_average.py --only DenseNet121     # one network alone

Trains through the trainer's own code, which judges by the mean. After each epoch the weights of the last
step are validated as well, BatchNorm's averages computed for them in the same way. Ends with status 1
when the means of a network are worse than the last steps' by more than 0.01 over its epochs.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from attendant import hyperparameters, settle, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NETWORKS: dict[str, dict[str, Any]] = {
    "DenseNet121": {"learning_rate": 1e-3, "dropout": 0.3},
    "MobileNet": {"learning_rate": 2e-3},
    "EfficientNetB1": {"learning_rate": 1e-3},
    "VGG16": {"learning_rate": 1e-4, "dropout": 0.3, "blocks": 3},
    "LeNet5": {"learning_rate": 1e-3},
}
"""As the space `head_shrink` begins with them; LeNet-5 at its defaults."""
MOST_LOST = 0.01


@dataclass(frozen=True, kw_only=True)
class Row:
    """One epoch of one network; accuracies on the validation part, but the first."""

    network: str
    epoch: int
    training: float
    last: float
    mean: float
    cost: float
    """Seconds that the mean took in this trial so far, of the `seconds` of its training and validation."""
    seconds: float

    def __str__(self) -> str:
        """A line of the table."""
        return (
            f"| {self.network} | {self.epoch} | {self.training:.3f} | {self.last:.3f} | {self.mean:.3f} "
            f"| {self.mean - self.last:+.3f} | {100 * self.cost / self.seconds:.1f} % |"
        )


def main() -> int:
    """Train, and print a Markdown table."""
    options = _options()
    settle(options.threads)
    from search.training.data.dataset import load_dataset
    from search.training.structures.kept import Structures

    dataset = load_dataset(options.source, train_limit=options.train_limit)
    rows: list[Row] = []
    for network, values in NETWORKS.items():
        if re.search(options.only, network):
            point = hyperparameters(network, batch_size=256, epochs=options.epochs, patience=options.epochs, **values)
            with tempfile.TemporaryDirectory() as folder, watched(rows):
                train(Path(folder), point, dataset, Structures())
    print(table(rows))
    return 1 if any(gain < -MOST_LOST for gain in gains(rows).values()) else 0


def table(rows: Sequence[Row]) -> str:
    """Markdown, with the mean gain of each network below."""
    head = "| network | epoch | training accuracy | last step's weights | mean | difference | cost, share of the time |"
    found = ", ".join(f"{network} {gain:+.3f}" for network, gain in gains(rows).items())
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- | --- |", *map(str, rows), "", f"Means: {found}."])


def gains(rows: Sequence[Row]) -> dict[str, float]:
    """By how much the mean is better, over the epochs of each network."""
    differences: dict[str, list[float]] = {}
    for row in rows:
        differences.setdefault(row.network, []).append(row.mean - row.last)
    return {network: sum(values) / len(values) for network, values in differences.items()}


@contextmanager
def watched(rows: list[Row]) -> Iterator[None]:
    """Have a row for each epoch of the trials within."""
    from search.training import fit
    from search.training.callbacks.base import TrialCallback
    from search.training.scoring import logits_of
    from search.training.weight_average import WeightAverage

    spent = [0.0]
    make: Callable[..., list[TrialCallback]] = vars(fit)["trial_callbacks"]

    def timed(add: Callable[[WeightAverage, int], None]) -> Callable[[WeightAverage, int], None]:
        def timed_add(average: WeightAverage, step: int) -> None:
            begun = time.perf_counter()
            add(average, step)
            spent[0] += time.perf_counter() - begun

        return timed_add

    class Watch(TrialCallback):
        """Validates the last step's weights too; its time counts nowhere."""

        def __init__(self, session: Any, dataset: Any, averages: Any, forward: Any) -> None:
            super().__init__(session)
            self._dataset, self._averages, self._forward = dataset, averages, forward

        def stretch_ended(self, metrics: dict[str, float]) -> None:
            session, data = self.session, self._dataset
            session.stopwatch.switch(None)
            seconds = session.stopwatch.read()
            of_the_mean = [variable.numpy() for variable in session.model.non_trainable_variables]
            self._averages.recompute()
            logits = logits_of(self._forward, data.images, data.validation)
            for variable, value in zip(session.model.non_trainable_variables, of_the_mean, strict=True):
                variable.assign(value)
            rows.append(
                Row(
                    network=session.hp.architecture, epoch=session.state.epoch, training=metrics["accuracy"],
                    last=float((logits.argmax(axis=1) == data.labels[data.validation]).mean()),
                    mean=metrics["val_accuracy"], cost=spent[0], seconds=seconds.train + seconds.validate,
                )
            )  # fmt: skip
            print(rows[-1], file=sys.stderr)
            session.stopwatch.switch("train")

    def make_more(session: Any, dataset: Any, feed: Any, averages: Any, forward: Any) -> Any:
        return [*make(session, dataset, feed, averages, forward), Watch(session, dataset, averages, forward)]

    with patch.object(fit, "trial_callbacks", make_more), patch.object(WeightAverage, "add", timed(WeightAverage.add)):
        yield


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare the mean of the last steps' weights with the last one's.")
    parser.add_argument("--source", default="idx:../shared/data/emnist-sample", help="images, as in a space file")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks such as DenseNet121")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--train-limit", metavar="N", type=int, help="training images at most (all)")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
