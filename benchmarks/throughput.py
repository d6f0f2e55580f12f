"""Images a second through hpsearch's trainer, next to a bare `train_on_batch` loop of plain Keras.

    python benchmarks/throughput.py                    # a quarter of an hour
    python benchmarks/throughput.py --only 'LeNet5'    # one network alone

One process and one thread; in each round every way trains for some seconds, one after the other, each
from new weights. hpsearch is the trainer's own code with feed, vital signs, progress and a pipe,
without the first step and without validation. The plain loop is the same network as Keras compiles it, on
batches made beforehand, without its first step either. Ratios are medians over rounds of what stood
next to each other. Ends with status 1 when one is below 0.95.

A third way is the trainer with the vital signs neither computed nor read: what they cost, the mean over rounds with
its standard error. Every other round goes the other way round. Ends with status 1, too, when they cost more than 2 %
of a step by more than two standard errors.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from attendant import hyperparameters, settle, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from search.training.data.dataset import Dataset

NETWORKS: dict[str, dict[str, Any]] = {
    "LeNet5": {},
    "MobileNet": {},
    "DenseNet121": {},
    "EfficientNetB1": {},
    "VGG16": {"blocks": 3},
}
BATCH_SIZES = (128, 512)
FEWEST_STEPS = 4
WANTED = 0.95
MOST_FOR_SIGNS = 0.02


def main() -> int:
    """Measure each network at each batch size and print a Markdown table."""
    options = _options()
    settle(1, processor_time=options.processor_time)
    from search.training.data.dataset import load_dataset

    dataset = load_dataset("mnist-5k")
    print("| network | batch | hpsearch, images/s | train_on_batch, images/s | ratio | vital signs, share of a step |")
    print("| --- | --- | --- | --- | --- | --- |")
    ratios, dear = [], []
    for name in NETWORKS:
        sizes = [size for size in BATCH_SIZES if re.search(options.only, f"{name} {size}")]
        for size, speeds in _speeds(name, sizes, dataset, options):
            ours, plain, unread = speeds
            ratio = _median_ratio(ours, plain)
            ratios.append(ratio)
            signs, error = _share(ours, unread)
            dear += [f"{name} {size}"] if signs - 2 * error > MOST_FOR_SIGNS else []
            print(f"| {name} | {size} | {statistics.median(ours):.0f} | {statistics.median(plain):.0f} "
                  f"| {ratio:.2f} | {100 * signs:+.1f} ± {100 * error:.1f} % |", flush=True)  # fmt: skip
    print(
        f"\nsmallest ratio {min(ratios):.2f}; vital signs above 2 % by two standard errors: {', '.join(dear) or 'none'}"
    )
    return 0 if min(ratios) >= WANTED and not dear else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare training speeds.")
    parser.add_argument("--only", metavar="REGEX", default="", help="cases such as 'DenseNet121 128'")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=3.0, help="of training, in each way and round (3)")
    parser.add_argument("--processor-time", action="store_true", help="not wall time: where others use the machine")
    return parser.parse_args()


def _median_ratio(over: list[float], under: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def _share(ours: list[float], unread: list[float]) -> tuple[float, float]:
    """What the signs take of a step, and the standard error of that."""
    shares = [1 - a / b for a, b in zip(ours, unread, strict=True)]
    return statistics.fmean(shares), statistics.stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else float("inf")


def _speeds(
    name: str, sizes: list[int], dataset: Dataset, options: argparse.Namespace
) -> Iterator[tuple[int, list[list[float]]]]:
    """For each batch size the images a second of each way in each round."""
    ways = [make(name, dataset) for make in (_trainer, _plain, _trainer_without_signs)] if sizes else []
    for size in sizes:
        # Once for what is compiled at the first step, once for the speed.
        for way in ways:
            way(size, 1 + FEWEST_STEPS // 2)
        speed = ways[1](size, 1 + FEWEST_STEPS // 2)
        steps = max(FEWEST_STEPS, round(options.seconds * speed / size))
        found: list[list[float]] = [[] for _ in ways]
        for number in range(options.rounds):
            for place in (range(len(ways)), reversed(range(len(ways))))[number % 2]:
                found[place].append(ways[place](size, 1 + steps))
            print(f"{name} {size} round {number + 1}: {[round(one[-1]) for one in found]}", file=sys.stderr)
        yield size, found


def _trainer(name: str, dataset: Dataset) -> Callable[[int, int], float]:
    """Through the trainer."""
    from search.training.structures.kept import Structures

    structures = Structures()

    def measure(batch_size: int, steps: int) -> float:
        n = batch_size * steps
        data = replace(dataset, train=np.resize(dataset.train, n), validation=dataset.validation[:100])
        values = hyperparameters(name, **NETWORKS[name], batch_size=batch_size, epochs=1)
        with tempfile.TemporaryDirectory() as folder:
            ended = train(Path(folder), values, data, structures)
        return (n - batch_size) / ended.seconds.train

    return measure


def _trainer_without_signs(name: str, dataset: Dataset) -> Callable[[int, int], float]:
    """Through a trainer that neither computes nor reads the vital signs."""
    measure = _trainer(name, dataset)

    def measure_without(batch_size: int, steps: int) -> float:
        with _without_signs():
            return measure(batch_size, steps)

    return measure_without


@contextmanager
def _without_signs() -> Iterator[None]:
    from keras import ops

    from search.training.callbacks.vitals import Vitals
    from search.training.structures.parts import Backbone, Head, smoothed_cross_entropy

    def loss(head: Any, features: Any, labels: Any) -> tuple[Any, Any, Any]:
        logits = head.model(features, training=True)
        losses = smoothed_cross_entropy(labels, logits, ops.convert_to_tensor(head._smoothing))
        right = ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32"))
        return ops.mean(losses), ops.sum(ops.cast(right, "float32")), ops.zeros(3)

    with (
        patch.object(Backbone, "watched", None),
        patch.object(Head, "watched", None),
        patch.object(Head, "_loss", loss),
        patch.object(Vitals, "step_ended", lambda *_: None),
    ):
        yield


def _plain(name: str, dataset: Dataset) -> Callable[[int, int], float]:
    """The bare loop."""
    import keras

    from search.training.hyperparameters import Hyperparameters
    from search.training.models import build_model

    values = hyperparameters(name, **NETWORKS[name])
    model = build_model(Hyperparameters.from_dict(values), dataset.image_shape, len(dataset.classes))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(values["learning_rate"]), loss, metrics=["accuracy"])

    def measure(batch_size: int, steps: int) -> float:
        chosen = np.resize(dataset.train, (steps, batch_size))
        batches = [(dataset.images[one].astype(np.float32), dataset.labels[one]) for one in chosen]
        model.train_on_batch(*batches[0])
        begun = time.perf_counter()
        for images, labels in batches[1:]:
            model.train_on_batch(images, labels)
        return batch_size * (steps - 1) / (time.perf_counter() - begun)

    return measure


if __name__ == "__main__":
    raise SystemExit(main())
