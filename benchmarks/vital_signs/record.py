"""Train each run for 500 steps and write down its signs: one JSON file a run, resumable."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from vital_signs.runs import N_STEPS, Run, Structure, all_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNS = ("loss", "accuracy", "spread", "level", "gradient_first", "gradient_last", "update_ratio", "update_last",
         "dead_units")  # fmt: skip
"""The columns of a recording, in this order. `level` is the mean magnitude of the logits."""

_DIGITS = 4


def record(source: str, folder: Path, only: str = "") -> None:
    """Record every run that has no file in `folder` yet, on one thread; with `only`, those whose name matches it."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from search.training import tensorflow_runtime
    from search.training.data.dataset import load_dataset

    tensorflow_runtime.configure(threads=1)
    dataset = load_dataset(source)
    folder.mkdir(parents=True, exist_ok=True)
    network: _Network | None = None
    for run in all_runs():
        file = folder / f"{run.key}.json"
        if file.exists() or not re.search(only, run.key):
            continue
        started = time.monotonic()
        if network is None or network.structure != run.structure:
            network = _Network(run.structure, dataset)
        steps = list(network.train(run))
        text = json.dumps({"run": run.to_dict(), "signs": SIGNS, "steps": steps})
        file.with_suffix(".new").write_text(text)
        file.with_suffix(".new").rename(file)
        print(f"{time.monotonic() - started:6.1f} s  {run.key}  {len(steps)} steps, last {steps[-1]}", flush=True)


class _Network:
    """One structure's graph, trained again and again from new weights."""

    def __init__(self, structure: Structure, dataset: Any) -> None:
        import keras
        import tensorflow as tf

        keras.backend.clear_session()
        self.structure = structure
        self._dataset = dataset
        self._model = self._fresh(Run(structure, "adam", 1e-3))
        layers = self._model.layers
        after = layers[[layer.name for layer in layers].index("backbone") + 1]
        self._watched = keras.Model(self._model.inputs[0], [self._model.output, after.input])
        kernels = [v for v in self._model.trainable_variables if len(v.shape) > 1]
        positions = [id(v) for v in self._model.trainable_variables]
        self._ends = (positions.index(id(kernels[0])), positions.index(id(kernels[-1])))
        shape = (None, *dataset.images.shape[1:])
        signature = [tf.TensorSpec(shape, tf.uint8), tf.TensorSpec((None,), tf.int64)]
        self._gradients = tf.function(self._forward_and_back, input_signature=signature, autograph=False)
        self._optimizers: dict[str, tuple[Any, Any]] = {}

    def train(self, run: Run) -> Iterator[list[float]]:
        """The signs of each step; ends early only when the loss is not finite."""
        from search.training.course import Stretch
        from search.training.feed import TrainingFeed

        data = self._dataset
        self._reset(run)
        optimizer, apply = self._optimizer(run)
        optimizer.learning_rate.assign(run.learning_rate)
        feed = TrainingFeed(data.images, data.labels, data.train, batch_size=run.batch_size, seed=run.seed)
        for step in range(N_STEPS):
            if step % feed.num_batches == 0:
                feed.start(Stretch(epoch=step // feed.num_batches, first=0, last=feed.num_batches))
            images, labels = feed[step % feed.num_batches]
            signs, gradients = self._gradients(images, labels)
            found = np.concatenate([signs.numpy(), apply(*gradients).numpy()])
            loss, accuracy, spread, level, first, last, dead, update_first, update_last = map(_short, found)
            yield [loss, accuracy, spread, level, first, last, update_first, update_last, dead]
            if not np.isfinite(found[0]):
                return

    def _fresh(self, run: Run) -> Any:
        from search.training.models import build_model

        return build_model(hyperparameters(run), self._dataset.images.shape[1:], len(self._dataset.classes))

    def _reset(self, run: Run) -> None:
        import keras

        keras.utils.set_random_seed(run.seed)
        fresh = self._fresh(run)
        for variable, new in zip(self._model.variables, fresh.variables, strict=True):
            variable.assign(new)

    def _optimizer(self, run: Run) -> tuple[Any, Any]:
        import tensorflow as tf

        if run.optimizer not in self._optimizers:
            optimizer = _new_optimizer(run.optimizer)
            if run.optimizer == "adamw":
                # As the trainer does.
                spared = [one for one in self._model.trainable_variables if len(one.shape) <= 1]
                optimizer.exclude_from_weight_decay(var_list=spared)
            optimizer.build(self._model.trainable_variables)
            self._optimizers[run.optimizer] = (optimizer, tf.function(self._applier(optimizer), autograph=False))
        optimizer, apply = self._optimizers[run.optimizer]
        for variable in optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        return optimizer, apply

    def _applier(self, optimizer: Any) -> Any:
        import tensorflow as tf

        def apply(*gradients: Any) -> Any:
            ends = [self._model.trainable_variables[position] for position in self._ends]
            before = [tf.identity(variable.value) for variable in ends]
            with tf.control_dependencies(before):
                optimizer.apply_gradients(zip(gradients, self._model.trainable_variables, strict=True))
            return tf.stack([
                tf.norm(variable.value - old) / (tf.norm(old) + 1e-30)
                for variable, old in zip(ends, before, strict=True)
            ])  # fmt: skip

        return apply

    def _forward_and_back(self, images: Any, labels: Any) -> Any:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            logits, features = self._watched(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, [v.value for v in self._model.trainable_variables])
        right = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, axis=1), labels), tf.float32))
        flat = tf.reshape(features, (tf.shape(features)[0], -1))
        dead = tf.reduce_mean(tf.cast(tf.reduce_all(tf.equal(flat, 0.0), axis=0), tf.float32))
        spread = tf.reduce_mean(tf.math.reduce_std(logits, axis=0))
        level = tf.reduce_mean(tf.abs(logits))
        ends = [tf.norm(gradients[position]) for position in self._ends]
        return tf.stack([loss, right, spread, level, *ends, dead]), gradients


def _new_optimizer(name: str) -> Any:
    import keras

    optimizers = {
        "adam": keras.optimizers.Adam,
        "adamw": lambda: keras.optimizers.AdamW(weight_decay=1e-4),
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": lambda: keras.optimizers.SGD(momentum=0.9),
    }
    return optimizers[name]()


def hyperparameters(run: Run) -> Any:
    """The run as the project's own parameters."""
    from search.training.hyperparameters import Hyperparameters

    structure = run.structure
    return Hyperparameters(
        architecture=structure.architecture, blocks=structure.blocks, image_size=32, head_pool=structure.pool,
        head_layers=structure.layers, head_width=structure.width, dropout=structure.dropout, dropout_at="each",
        batch_size=run.batch_size, learning_rate=run.learning_rate, schedule="constant",
        optimizer=run.optimizer, momentum=0.9, weight_decay=0.0, label_smoothing=0.0, augment="none",
        patience=10, epochs=10, batch_norm="keras", weight_average="none",
    )  # fmt: skip


def _short(value: Any) -> float:
    return float(f"{float(value):.{_DIGITS}g}")
