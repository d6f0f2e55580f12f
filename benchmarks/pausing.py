"""What it takes to keep a paused trial on the disk and to go on with it, next to keeping it in memory.

    python benchmarks/pausing.py

Checkpoints through the trainer's own code, of networks as trials have them after their first step. In memory would be
a copy of the same arrays and their assignment. The reason for the one place where paused trials wait (decision 0013).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attendant import command, hyperparameters, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORKS: dict[str, dict[str, Any]] = {
    "LeNet5": {},
    "MobileNet": {},
    "DenseNet121": {},
    "EfficientNetB1": {},
    "VGG16": {"head_width": 4096, "head_layers": 2},
}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description="Measure checkpoints.")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    settle(2)
    print("| network | size, MB | written, s | read back, s | copied in memory, s | and back, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for network, values in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            size, seconds = _measured(Path(folder), hyperparameters(network, **values), options.rounds)
        print(f"| {network} | {size / 1e6:.0f} | {' | '.join(f'{one:.2f}' for one in seconds)} |", flush=True)


def _measured(folder: Path, values: dict[str, Any], n_rounds: int) -> tuple[int, list[float]]:
    """Bytes of a checkpoint, and seconds of the four."""
    from search.training import files
    from search.training.checkpoints import load_checkpoint, save_checkpoint
    from search.training.hyperparameters import Hyperparameters
    from search.training.state import TrialIdentity, TrialState
    from search.training.structures.kept import Structures

    hp = Hyperparameters.from_dict(values)
    model = Structures().network(hp, (28, 28, 1), 47, None)
    model.begin(hp, seed=0)
    identity, state = TrialIdentity.of(command(folder, values), "fingerprint"), TrialState(position=hp.batch_size)
    variables = [*model.variables, *model.optimizer.variables]
    found: list[list[float]] = [[], [], [], []]
    for _ in range(n_rounds):
        with _timed(found[0]):
            save_checkpoint(folder, identity, state, model)
        with _timed(found[1]):
            assert load_checkpoint(folder, identity, model) is not None
        with _timed(found[2]):
            copies = [variable.numpy() for variable in variables]
            means = [mean.copy() for mean in model.average.means]
        with _timed(found[3]):
            for variable, value in zip(variables, copies, strict=True):
                variable.assign(value)
            model.average.means = means
    size = files.checkpoint_arrays(folder, state.position).stat().st_size
    return size, [statistics.median(seconds) for seconds in found]


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
