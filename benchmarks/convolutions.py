"""Convolutions of images smaller than the kernel: their gradients as TensorFlow has them, and as the trainer has.

    python benchmarks/convolutions.py                      # five minutes
    python benchmarks/convolutions.py --only ResNet50

First the gradients with respect to images and kernel of single convolutions as networks have them on images of
28 × 28, then both passes of whole networks up to the head, a batch of 256 images each; medians of rounds in which
the two take turns. The reason for decision 0019. Ends with status 1 where a network is more than a twentieth slower
for it.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from attendant import hyperparameters, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import keras

N_IMAGES = 256
NETWORKS = ("MobileNet", "MobileNetV2", "EfficientNetB1", "DenseNet121", "ResNet50", "VGG16")
CONVOLUTIONS = (
    ("MobileNet", "depthwise", 2, 3, 512, 512),
    ("MobileNet", "depthwise", 1, 3, 1024, 1024),
    ("EfficientNetB1", "depthwise", 4, 5, 240, 240),
    ("EfficientNetB1", "depthwise", 2, 5, 672, 672),
    ("EfficientNetB1", "depthwise", 1, 5, 1152, 1152),
    ("DenseNet121", "usual", 2, 3, 128, 32),
    ("DenseNet121", "usual", 1, 3, 128, 32),
    ("ResNet50", "usual", 2, 3, 256, 256),
    ("ResNet50", "usual", 1, 3, 512, 512),
    ("VGG16", "usual", 2, 3, 512, 512),
)
"""Of which network, kind, rows of the images, rows of the kernel, channels in and out."""


def main() -> int:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description="Compare gradients of convolutions of small images.")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    settle(options.threads)

    print("| in | convolution | image | kernel | channels | TensorFlow's, ms | by size, ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for network, kind, rows, size, n_in, n_out in CONVOLUTIONS:
        if re.search(options.only, network):
            layer, images = _convolution(kind, rows, size, n_in, n_out)
            usual, ours = _medians(_derivations(layer, images), options.rounds)
            print(
                f"| {network} | {kind} | {rows} × {rows} | {size} × {size} | {n_in} to {n_out} "
                f"| {1e3 * usual:.1f} | {1e3 * ours:.1f} | {ours / usual:.2f} |"
            )
    print("\n| network | TensorFlow's, s | by size, s | ratio |\n| --- | --- | --- | --- |")
    ratios = []
    for network in (name for name in NETWORKS if re.search(options.only, name)):
        usual, ours = _medians(_passes(network), options.rounds)
        ratios.append(ours / usual)
        print(f"| {network} | {usual:.2f} | {ours:.2f} | {ratios[-1]:.2f} |")
    return 0 if max(ratios, default=0) <= 1.05 else 1


def _medians(calls: Iterable[Callable[[], object]], n_rounds: int) -> list[float]:
    """Seconds that each takes."""
    seconds: list[tuple[Callable[[], object], list[float]]] = [(call, []) for call in calls]
    for number in range(n_rounds + 1):
        for call, found in seconds:
            begun = time.perf_counter()
            call()
            if number:  # in the first TensorFlow looks over the graph
                found.append(time.perf_counter() - begun)
    return [statistics.median(found) for _, found in seconds]


def _convolution(kind: str, rows: int, size: int, n_in: int, n_out: int) -> tuple[keras.Layer, Any]:
    """A layer, and images for it."""
    import keras
    import tensorflow as tf

    options = {"padding": "same", "use_bias": False}
    layer = (
        keras.layers.DepthwiseConv2D(size, **options)
        if kind == "depthwise"
        else keras.layers.Conv2D(n_out, size, **options)
    )
    layer.build((None, rows, rows, n_in))
    return layer, tf.random.normal((N_IMAGES, rows, rows, n_in))


def _derivations(layer: keras.Layer, images: Any) -> list[Callable[[], object]]:
    """TensorFlow's gradients, and those by size."""
    import tensorflow as tf

    from search.training.tensorflow_runtime import derived_by_size

    def derivation(function: Callable[[Any], Any]) -> Callable[[], object]:
        def derived(images: Any) -> Any:
            outputs = function(images)
            return tf.gradients(outputs, [images, layer.kernel.value], grad_ys=outputs)

        traced = tf.function(derived, autograph=False)
        return lambda: traced(images)

    return [derivation(layer), derivation(derived_by_size(layer))]


def _passes(network: str) -> list[Callable[[], object]]:
    """Both passes of a backbone, derived as TensorFlow does it, and by size."""
    from search.training.hyperparameters import Hyperparameters
    from search.training.models import build_backbone
    from search.training.structures import parts

    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (N_IMAGES, 28, 28, 1), np.uint8), rng.integers(0, 47, N_IMAGES)
    by_size, calls = parts.derived_by_size, []
    for wrapper in (lambda function: function, by_size):
        parts.derived_by_size = wrapper
        hp = Hyperparameters.from_dict(hyperparameters(network))
        backbone = parts.Backbone(*build_backbone(hp, (28, 28, 1)), honest=True)
        calls.append(lambda backbone=backbone: backbone.derive(images, labels, lambda features, _: features))
    parts.derived_by_size = by_size
    return calls


if __name__ == "__main__":
    raise SystemExit(main())
