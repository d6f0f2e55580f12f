"""KerasTuner's Hyperband as its documentation shows it, batch size and patience among what is tuned."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import keras_tuner

if TYPE_CHECKING:
    import keras

    from racing.peer import Course
    from spaces.space import Parameter

_ITERATIONS = 100  # of the whole of Hyperband: more than fit into any race


def search(course: Course) -> None:
    """Run trials until the process is killed."""
    task = course.task
    tuner = keras_tuner.Hyperband(
        Network(course),
        objective=keras_tuner.Objective("val_accuracy", "max"),
        max_epochs=task.epochs,
        factor=3,
        hyperband_iterations=_ITERATIONS,
        seed=task.seed,
        directory=task.folder,
        project_name="keras-tuner",
    )
    tuner.search(**course.images(), verbose=0)


class Network(keras_tuner.HyperModel):
    """The networks of the space, in KerasTuner's words."""

    def __init__(self, course: Course) -> None:
        """Build and train as the course says."""
        super().__init__()
        self._course = course
        self._n_trials = 0

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """The network of a point."""
        return self._course.compiled(suggested(self._course, hp))

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """Train it; a promoted trial goes on from its weights and counts as a new one."""
        values = suggested(self._course, hp)
        ours = self._course.callbacks(self._n_trials, values)
        self._n_trials += 1
        kwargs["callbacks"] = [*ours, *kwargs.get("callbacks", [])]
        return model.fit(*args, batch_size=values["batch_size"], **kwargs)


def suggested(course: Course, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
    """A point of the space, conditions included."""
    values: dict[str, Any] = {}
    for parameter in course.space.search:
        with contextlib.ExitStack() as scopes:
            # Entered also where the condition does not hold: so KerasTuner learns that there is one.
            for condition in parameter.when:
                scopes.enter_context(hp.conditional_scope(condition.name, list(condition.values)))
            if parameter in course.space.active(values):
                values[parameter.name] = _suggest(hp, parameter)
    return values


def _suggest(hp: keras_tuner.HyperParameters, parameter: Parameter) -> Any:
    sampling = "log" if parameter.log else "linear"
    if parameter.kind == "choice":
        return hp.Choice(parameter.name, list(parameter.choices))
    if parameter.kind == "int":
        # With a logarithm KerasTuner takes a step for a factor.
        step = None if parameter.log else parameter.step
        return hp.Int(parameter.name, int(parameter.low), int(parameter.high), step=step, sampling=sampling)
    return hp.Float(parameter.name, parameter.low, parameter.high, sampling=sampling)
