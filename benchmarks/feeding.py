"""How fast images come to a network: what is done to them in NumPy, and what in a graph.

    python benchmarks/feeding.py

Each part by itself on batches of grey images of 28 × 28 pixels, and what could stand in its place: augmentation
in NumPy, as the thread that feeds does it, or as Keras' layers in a graph; what makes floats of 32 × 32 pixels in
three channels of them as a graph, as it is in the model, or in NumPy. Medians over rounds in which the ways take
turns. The reason why each stands where it does (decision 0017).
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from attendant import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    Way = Callable[[np.ndarray], object]

SIZES = (128, 512)
N_IMAGES = 4096
SIDE, WANTED_SIDE = 28, 32
SHIFT, ROTATION = 0.08, 10 / 360


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description="Compare places of augmentation and preprocessing.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    settle(options.threads)
    images = np.random.default_rng(0).integers(0, 256, (N_IMAGES, SIDE, SIDE, 1), np.uint8)
    print(f"| images a second | {' | '.join(f'batches of {size}' for size in SIZES)} |\n| --- |{' --- |' * len(SIZES)}")
    ways = _ways(images)
    speeds = {size: _speeds(ways, images, size, options.rounds) for size in SIZES}
    for name in ways:
        print(f"| {name} | {' | '.join(f'{speeds[size][name]:,.0f}' for size in SIZES)} |")


def _ways(images: np.ndarray) -> dict[str, Way]:
    from search.training.augment import shift_rotate

    random = np.random.default_rng(0)
    order = random.permutation(len(images))
    return {
        "a batch cut out by index": lambda batch: images[order[: len(batch)]],
        "`shift_rotate` in NumPy (hpsearch)": lambda batch: shift_rotate(batch, random),
        "the same of Keras' layers, in a graph": _layers(),
        "preprocessing in the model's graph (hpsearch)": _in_the_model(),
        "the same in NumPy": _in_numpy,
    }


def _speeds(ways: dict[str, Way], images: np.ndarray, size: int, n_rounds: int) -> dict[str, float]:
    """Images a second of each way."""
    batches = [images[start : start + size] for start in range(0, len(images), size)]
    found: dict[str, list[float]] = {name: [] for name in ways}
    for name in [*ways] * (n_rounds + 1):
        begun = time.perf_counter()
        for batch in batches:
            ways[name](batch)
        found[name].append(len(images) / (time.perf_counter() - begun))
    return {name: statistics.median(speeds[1:]) for name, speeds in found.items()}  # the first round compiles


def _layers() -> Way:
    import keras

    shift = keras.layers.RandomTranslation(SHIFT, SHIFT, fill_mode="nearest")
    rotate = keras.layers.RandomRotation(ROTATION, fill_mode="nearest")
    return _graph(lambda images: rotate(shift(images, training=True), training=True))


def _in_the_model() -> Way:
    from search.training.models.preprocessing import build_preprocessing
    from search.training.models.ranges import InputRange

    model = build_preprocessing((SIDE, SIDE, 1), WANTED_SIDE, InputRange(1 / 255, 0.0), colour=True)
    return _graph(model)


def _graph(function: Callable[[Any], Any]) -> Way:
    import tensorflow as tf

    signature = [tf.TensorSpec((None, SIDE, SIDE, 1), tf.uint8)]
    graph = tf.function(lambda images: function(tf.cast(images, "float32")), input_signature=signature, autograph=False)
    return lambda batch: graph(tf.convert_to_tensor(batch)).numpy()


def _in_numpy(batch: np.ndarray) -> object:
    import tensorflow as tf

    margin = (WANTED_SIDE - SIDE) // 2
    framed = np.pad(batch, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    return tf.convert_to_tensor(np.repeat(framed, 3, axis=3).astype(np.float32) / np.float32(255))


if __name__ == "__main__":
    main()
