"""The next point to try: a function of the space, what was seen so far, and a seed.

Proposals are made in a study of their own in memory, from the trials as they should be judged:
a paused trial has a value, a pruned one is worth its best epoch, one that diverged is worth the
worst of all. Optuna alone would take a paused trial for one that has ended and learn nothing from
a failed one. As nothing else goes in, any proposal can be derived again later.
"""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from search.distributions import distribution
from search.extras import check_extras
from search.training.seeds import derived_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.trial import TrialRecord
    from spaces.space import Parameter, Space

N_RETRIES = 20  # further proposals before a point that was tried already is tried again

N_STARTUP = 4
"""Trials with a value before `tpe` learns from them. Optuna waits for 10 random ones; here the first are where a
person would start, and each of them is looked at soon, because it pauses soon."""
N_MIXED = 12
"""Trials up to which every second proposal is random all the same: the first scores may deceive."""

_INFEASIBLE = ("collapsed", "diverged", "out_of_memory")
_HOPELESS = (*_INFEASIBLE, "crashed", "stalled")
"""Reasons for which a point is not tried again, also where the sampler finds no further ones."""


def propose(space: Space, trials: Sequence[TrialRecord], seed: int) -> dict[str, Any] | None:
    """Propose a point that no trial has.

    Args:
        trials: all trials of the study, waiting ones included.
        seed: the study's seed; the number of trials is mixed in, so that two workers with one
            seed never draw the same point.

    Returns:
        The values of the parameters that are active together; None where the sampler is `grid`
        and every point has been tried.
    """
    tried = {_key(trial.params) for trial in trials}
    if space.sampler.name == "grid":
        return next((point for point in space.grid() if _key(point) not in tried), None)
    hopeless = {_key(trial.params) for trial in trials if _is_hopeless(trial)}
    drawn: list[dict[str, Any]] = []
    for retry in range(N_RETRIES):
        drawn.append(_sample(space, trials, derived_seed(seed, len(trials), retry)))
        if _key(drawn[-1]) not in tried:
            return drawn[-1]
    # Another seed may do better at a point that can be trained.
    return next((values for values in reversed(drawn) if _key(values) not in hopeless), drawn[-1])


def _sample(space: Space, trials: Sequence[TrialRecord], seed: int) -> dict[str, Any]:
    is_random = len(trials) < N_MIXED and len(trials) % 2 == 1
    sampler = optuna.samplers.RandomSampler(seed=seed) if is_random else _sampler(space, seed)
    study = optuna.create_study(direction=space.objective.direction, sampler=sampler)
    study.add_trials(_history(space, trials))
    trial = study.ask()
    values: dict[str, Any] = {}
    while parameter := _next_parameter(space, values):
        values[parameter.name] = _suggest(trial, parameter)
    return values


def _next_parameter(space: Space, values: dict[str, Any]) -> Parameter | None:
    return next((parameter for parameter in space.active(values) if parameter.name not in values), None)


def _sampler(space: Space, seed: int) -> optuna.samplers.BaseSampler:
    if space.sampler.name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if space.sampler.name == "gp":
        check_extras(space)
        return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of `group`
        # Jointly for each group of parameters that occur together: without `group`, conditional
        # parameters are drawn independently, and nothing says so.
        return optuna.samplers.TPESampler(
            n_startup_trials=N_STARTUP, multivariate=True, group=True, constant_liar=True, seed=seed
        )


def _history(space: Space, trials: Sequence[TrialRecord]) -> list[FrozenTrial]:
    known = {parameter.name: parameter for parameter in space.search}
    worst = _worst(space, trials)
    history = []
    for trial in trials:
        if trial.state == "waiting":
            continue
        value = _judged(trial, worst)
        history.append(
            optuna.trial.create_trial(
                state=TrialState.RUNNING if value is None else TrialState.COMPLETE,
                value=value,
                params={name: _encode(known[name], setting) for name, setting in trial.params.items()},
                distributions={name: _coded(known[name]) for name in trial.params},
            )
        )
    return history


def _judged(trial: TrialRecord, worst: float) -> float | None:
    """What a trial is worth to the sampler; None while it runs, and where it says nothing."""
    if trial.state == "failed":
        is_infeasible = trial.outcome is not None and trial.outcome.reason in _INFEASIBLE
        return worst if is_infeasible else None
    return None if trial.state == "running" else trial.value


def _is_hopeless(trial: TrialRecord) -> bool:
    return trial.state == "failed" and trial.outcome is not None and trial.outcome.reason in _HOPELESS


def _worst(space: Space, trials: Sequence[TrialRecord]) -> float:
    """Worse than all values there are, by as much as those differ."""
    values = [trial.value for trial in trials if trial.value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    margin = (high - low) or 1e-3
    return low - margin if space.objective.direction == "maximize" else high + margin


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Any:
    coded = _coded(parameter)
    if isinstance(coded, IntDistribution):
        code = trial.suggest_int(parameter.name, coded.low, coded.high, log=coded.log, step=coded.step)
        return parameter.choices[code] if _is_ordered_choice(parameter) else code
    if parameter.kind == "choice":
        return trial.suggest_categorical(parameter.name, parameter.choices)
    return trial.suggest_float(parameter.name, float(parameter.low), float(parameter.high), log=parameter.log)


def _coded(parameter: Parameter) -> BaseDistribution:
    """The distribution to sample from: a choice of numbers keeps its order, as positions."""
    if _is_ordered_choice(parameter):
        return IntDistribution(0, len(parameter.choices) - 1)
    return distribution(parameter)


def _encode(parameter: Parameter, value: Any) -> Any:
    return parameter.choices.index(value) if _is_ordered_choice(parameter) else value


def _is_ordered_choice(parameter: Parameter) -> bool:
    numbers = [value for value in parameter.choices if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < 2 or len(numbers) < len(parameter.choices):
        return False
    return all(low < high for low, high in itertools.pairwise(numbers))


def _key(values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(values.items()))
