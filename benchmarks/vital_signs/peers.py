"""What others would have done with the same runs: Optuna's pruners and Keras' callbacks, the real ones.

They see what they are made for: the loss, as the mean of the last ten steps, every ten steps. The
pruners compare a trial with those before it, so the order matters: several orders, drawn by seed.
"""

from __future__ import annotations

import contextlib
import io
import math
import random
import statistics
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from vital_signs.judge import IN_TIME, judge
from vital_signs.recordings import WINDOW, Recording
from vital_signs.runs import N_STEPS

N_ORDERS = 5
_EPOCH = 50
_PATIENCE = 3

Stops = dict[str, "int | None"]
"""The step at which each run, by its name, would have been stopped; None for never."""


def compared(recordings: Sequence[Recording]) -> str:
    """A table with a row for each of them: counts are means over the orders."""
    lines = [
        "| | dead stopped | within 30 steps of dying | median delay, steps | living stopped | of them learning |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, all_stops in _by_name(recordings).items():
        lines.append(f"| {name} | {' | '.join(_cells(recordings, all_stops))} |")
    return "\n".join([*lines, ""])


def _by_name(recordings: Sequence[Recording]) -> dict[str, list[Stops]]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    median, hyperband = optuna.pruners.MedianPruner, optuna.pruners.HyperbandPruner
    orders = range(N_ORDERS)
    return {
        "Optuna `MedianPruner()`": [_pruned(median(), recordings, seed) for seed in orders],
        f"Optuna `HyperbandPruner({WINDOW}, {N_STEPS})`": [
            _pruned(hyperband(WINDOW, N_STEPS), recordings, seed) for seed in orders
        ],
        f'Keras `EarlyStopping("loss", patience={_PATIENCE})`, {_EPOCH} steps an epoch': [
            {one.run.key: _early_stopping(one) for one in recordings}
        ],
        "Keras `TerminateOnNaN()`": [{one.run.key: _terminate_on_nan(one) for one in recordings}],
        "hpsearch": [{one.run.key: judge(one).stopped_at for one in recordings}],
    }


def _cells(recordings: Sequence[Recording], all_stops: Sequence[Stops]) -> list[str]:
    dead = [one for one in recordings if one.label == "dead"]
    living = [one for one in recordings if one.label in ("stuck", "learning")]
    learning = [one for one in living if one.label == "learning"]
    delays = [_delays(dead, stops) for stops in all_stops]
    medians = [statistics.median(found) for found in delays if found]
    return [
        f"{_mean(len(found) for found in delays)} of {len(dead)}",
        _mean(sum(delay <= IN_TIME for delay in found) for found in delays),
        _mean(medians) if medians else "",
        f"{_mean(_n_stopped(living, stops) for stops in all_stops)} of {len(living)}",
        f"{_mean(_n_stopped(learning, stops) for stops in all_stops)} of {len(learning)}",
    ]


def _n_stopped(recordings: Sequence[Recording], stops: Stops) -> int:
    return sum(stops[one.run.key] is not None for one in recordings)


def _delays(dead: Sequence[Recording], stops: Stops) -> list[int]:
    """Steps from dying to being stopped; one that was stopped before it died was stopped in time."""
    return [at - (one.died_at or 0) for one in dead if (at := stops[one.run.key]) is not None]


def _mean(values: Iterable[float]) -> str:
    return f"{statistics.fmean(values):.3g}"


def _pruned(pruner: Any, recordings: Sequence[Recording], seed: int) -> Stops:
    """All runs, one after the other, as trials of one study."""
    import optuna

    study = optuna.create_study(study_name=f"order {seed}", direction="minimize", pruner=pruner)
    order = list(recordings)
    random.Random(seed).shuffle(order)
    return {recording.run.key: _one_pruned(study, recording) for recording in order}


def _one_pruned(study: Any, recording: Recording) -> int | None:
    import optuna

    trial = study.ask()
    for step, loss in zip(recording.steps, recording.columns["mean_loss"], strict=True):
        if step % WINDOW:
            continue
        trial.report(loss, step)
        if trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return step
    state = optuna.trial.TrialState.COMPLETE if math.isfinite(loss) else optuna.trial.TrialState.FAIL
    study.tell(trial, loss if math.isfinite(loss) else None, state=state)
    return None


def _early_stopping(recording: Recording) -> int | None:
    """`EarlyStopping` on the training loss, an epoch being 50 steps."""
    import keras

    callback = keras.callbacks.EarlyStopping(monitor="loss", mode="min", patience=_PATIENCE)
    model = SimpleNamespace(stop_training=False)
    callback.set_model(model)
    callback.on_train_begin()
    losses = dict(zip(recording.steps, recording.columns["mean_loss"], strict=True))
    for epoch, end in enumerate(range(_EPOCH, recording.steps[-1] + 1, _EPOCH)):
        parts = [losses[step] for step in range(end - _EPOCH + WINDOW, end + 1, WINDOW)]
        callback.on_epoch_end(epoch, {"loss": statistics.fmean(parts)})
        if model.stop_training:
            return end
    return None


def _terminate_on_nan(recording: Recording) -> int | None:
    import keras

    callback = keras.callbacks.TerminateOnNaN()
    model = SimpleNamespace(stop_training=False)
    callback.set_model(model)
    for step, loss in zip(recording.steps, recording.columns["loss"], strict=True):
        with contextlib.redirect_stdout(io.StringIO()):  # it says so, too
            callback.on_train_batch_end(step - 1, {"loss": loss})
        if model.stop_training:
            return step
    return None
