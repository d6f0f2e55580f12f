"""How fast a network answers, by the number of images that it gets at once.

    python benchmarks/validation.py

The trainer's own forward pass, one that is not compiled anew for any size; medians over rounds in which the sizes
take turns, each on the same images. The reason for the one size that all validations have (decision 0012).
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from attendant import hyperparameters, settle

NETWORKS = ("LeNet5", "MobileNet", "DenseNet121", "EfficientNetB1", "VGG16")
SIZES = (32, 128, 256, 1024, 4096)
N_IMAGES = 4096
CHOSEN = 256


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description="Compare sizes of validation batches.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    settle(options.threads)
    from search.training import scoring

    print(f"| network | {' | '.join(f'{size:,}' for size in SIZES)} |\n| --- |{' --- |' * len(SIZES)}")
    assert scoring.BATCH_SIZE == CHOSEN
    for network in NETWORKS:
        speeds = _speeds(network, options.rounds)
        chosen = speeds[CHOSEN]
        print(f"| {network} | {' | '.join(f'{speeds[size]:,.0f} ({speeds[size] / chosen:.2f})' for size in SIZES)} |")


def _speeds(network: str, n_rounds: int) -> dict[int, float]:
    """Images a second for each size."""
    from search.training.hyperparameters import Hyperparameters
    from search.training.models import build_model
    from search.training.tensorflow_runtime import compiled_forward

    values = hyperparameters(network, **({"blocks": 3} if network == "VGG16" else {}))
    model = build_model(Hyperparameters.from_dict(values), (28, 28, 1), 47)
    forward = compiled_forward(model, training=False)
    images = np.random.default_rng(0).integers(0, 256, (N_IMAGES, 28, 28, 1), np.uint8)
    for size in SIZES:
        forward(images[:size])
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(n_rounds):
        for size, speeds in found.items():
            begun = time.perf_counter()
            for start in range(0, N_IMAGES, size):
                forward(images[start : start + size])
            speeds.append(N_IMAGES / (time.perf_counter() - begun))
    return {size: statistics.median(speeds) for size, speeds in found.items()}


if __name__ == "__main__":
    main()
