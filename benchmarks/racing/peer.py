"""A peer's process: `python -m racing.peer TASK`, with a task in JSON; it runs until it is killed."""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.training import process

if TYPE_CHECKING:
    import keras

    from racing.board import Board
    from search.training.data.dataset import Dataset
    from spaces.space import Space


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a peer is asked to do."""

    contestant: str
    seed: int
    space: str
    """A space file, or the name of one that ships with hpsearch."""
    data: str
    """Source of the images, as in a space file."""
    epochs: int
    """The most that a trial is given, which Hyperband's brackets follow from."""
    threads: int
    folder: str
    begun: float

    def to_json(self) -> str:
        """As the argument of the process."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Course:
    """What all trials of a peer share: the same networks, ranges and images as hpsearch has."""

    task: Task
    space: Space
    dataset: Dataset
    board: Board

    def hyperparameters(self, values: dict[str, Any]) -> dict[str, Any]:
        """All of the network's, for the values of a point."""
        return self.space.complete(values)

    def compiled(self, values: dict[str, Any]) -> keras.Model:
        """The network of a point: Keras' own layers, optimizer and loss."""
        import keras

        from search.training.hyperparameters import Hyperparameters
        from search.training.models import build_model

        data = self.dataset
        hp = Hyperparameters.from_dict(self.hyperparameters(values))
        model = build_model(hp, data.images.shape[1:], len(data.classes))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(hp.learning_rate), loss, metrics=["accuracy"])
        return model

    def images(self) -> dict[str, Any]:
        """What `fit` trains and validates on."""
        data = self.dataset
        return {
            "x": data.images[data.train],
            "y": data.labels[data.train],
            "validation_data": (data.images[data.validation], data.labels[data.validation]),
        }

    def callbacks(self, trial: int, values: dict[str, Any]) -> list[keras.callbacks.Callback]:
        """Of every trial; a callback that raises comes after them."""
        import keras

        from racing.callbacks import HonestValidation, Report

        early = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=values["patience"])
        found = [Report(self.board, trial, self.hyperparameters(values)), early]
        if self.task.contestant.endswith("-honest"):
            found.insert(0, HonestValidation(self.dataset, self.task.seed))
        return found


def main() -> None:
    """Search until killed, or until the peer has nothing left to try."""
    task = Task(**json.loads(sys.argv[1]))
    process.prepare(task.threads)
    # Optuna's Keras callback and KerasTuner are older than the Keras they run on.
    warnings.simplefilter("ignore")
    import keras

    from racing import keras_tuner_search, optuna_search
    from racing.board import Board
    from search.training import tensorflow_runtime
    from search.training.data.dataset import load_dataset
    from spaces.library import find_space
    from spaces.reader import read_space

    tensorflow_runtime.configure(task.threads)
    keras.utils.set_random_seed(task.seed)
    space = read_space(find_space(task.space)).with_overrides([f"data.source={task.data}"])
    part = space.data
    dataset = load_dataset(part.source, part.validation, part.train_limit, part.seed)
    course = Course(task=task, space=space, dataset=dataset, board=Board(Path(task.folder), task.begun))
    searches = {"optuna": optuna_search.search, "keras-tuner": keras_tuner_search.search}
    searches[task.contestant.removesuffix("-honest")](course)


if __name__ == "__main__":
    main()
