"""A plain Keras loop, as a user writes it who follows Keras' documentation: `plain.py SOURCE VALIDATION IMAGES CORES`.

A trial for each line that comes in, hyperparameters in JSON; a line of seconds goes out for each.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import keras
import tensorflow as tf

from search.training.data.dataset import load_dataset
from search.training.hyperparameters import Hyperparameters
from search.training.models import build_model

clock = time.perf_counter


class Steps(keras.callbacks.Callback):
    """When each has ended."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Keras' hook."""
        self.ended: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keras' hook."""
        self.ended.append(clock())


def main() -> None:
    """Say that all is ready, then answer line by line; in the end say what memory it took, in MiB."""
    source, validation_part, n_images, cores = sys.argv[1:]
    tf.config.threading.set_intra_op_parallelism_threads(int(cores))
    tf.config.threading.set_inter_op_parallelism_threads(int(cores))
    data = load_dataset(source, float(validation_part), int(n_images), 0)
    x, y = data.images[data.train], data.labels[data.train]
    validation = (data.images[data.validation], data.labels[data.validation])
    print(json.dumps({"ready": 1}), flush=True)
    for line in sys.stdin:
        values = json.loads(line)
        begun = clock()
        model = build_model(Hyperparameters.from_dict(values), x.shape[1:], len(data.classes))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(values["learning_rate"]), loss, metrics=["accuracy"])
        steps = Steps()
        model.fit(
            x, y, batch_size=values["batch_size"], epochs=1, validation_data=validation, callbacks=[steps], verbose=0
        )
        keras.backend.clear_session()
        first, last = steps.ended[0], steps.ended[-1]
        setup = first - begun - (last - first) / (len(steps.ended) - 1)
        print(json.dumps({"setup": setup, "total": clock() - begun}), flush=True)
    print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)


if __name__ == "__main__":
    main()
