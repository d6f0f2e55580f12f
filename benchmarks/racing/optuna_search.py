"""Optuna as its documentation shows it for Keras: TPE, Hyperband and `KerasPruningCallback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import optuna
from optuna_integration import KerasPruningCallback

if TYPE_CHECKING:
    from racing.peer import Course
    from spaces.space import Parameter


def search(course: Course) -> None:
    """Run trials until the process is killed."""
    task = course.task
    images = course.images()

    def objective(trial: optuna.Trial) -> float:
        # As Optuna's example for Keras does: else the graphs of all trials stay.
        keras.backend.clear_session()
        values = suggested(course, trial)
        model = course.compiled(values)
        callbacks = [*course.callbacks(trial.number, values), KerasPruningCallback(trial, "val_accuracy")]
        history = model.fit(
            **images, batch_size=values["batch_size"], epochs=task.epochs, callbacks=callbacks, verbose=0
        )
        return float(max(history.history["val_accuracy"]))

    study = optuna.create_study(
        study_name=f"race-{task.seed}",  # Hyperband draws a trial's bracket from it
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=task.seed),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=task.epochs, reduction_factor=3),
    )
    study.optimize(objective)


def suggested(course: Course, trial: optuna.Trial) -> dict[str, Any]:
    """A point of the space, conditions included."""
    values: dict[str, Any] = {}
    while parameter := next((p for p in course.space.active(values) if p.name not in values), None):
        values[parameter.name] = _suggest(trial, parameter)
    return values


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Any:
    if parameter.kind == "choice":
        return trial.suggest_categorical(parameter.name, parameter.choices)
    if parameter.kind == "int":
        low, high = int(parameter.low), int(parameter.high)
        return trial.suggest_int(parameter.name, low, high, step=parameter.step, log=parameter.log)
    return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=parameter.log)
