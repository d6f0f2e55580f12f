from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from search.training.seeds import derived_seed
from search.trial import Outcome, TrialRecord
from search.worker.proposal import propose
from spaces.space import Budget, Condition, DataPart, Objective, Parameter, Pruner, Sampler, Space

ARCHITECTURE = Parameter(name="architecture", kind="choice", choices=("VGG16", "DenseNet121"))
BLOCKS = Parameter(name="blocks", kind="int", low=2, high=5, when=(Condition(name="architecture", values=("VGG16",)),))
WIDTH = Parameter(name="head_width", kind="int", low=512, high=4096, step=512)
BATCH = Parameter(name="batch_size", kind="choice", choices=(256, 512, 1024, 2048))
RATE = Parameter(name="learning_rate", kind="float", low=1e-5, high=1e-2, log=True)


def space(*search: Parameter, sampler: str = "tpe", direction: str = "maximize") -> Space:
    return Space(
        study="s",
        data=DataPart(source="mnist-5k"),
        image_size=32,
        objective=Objective(direction=direction),  # type: ignore[arg-type]
        search=search,
        fixed={} if ARCHITECTURE in search else {"architecture": "LeNet5"},
        try_first=(),
        budget=Budget(),
        sampler=Sampler(name=sampler),  # type: ignore[arg-type]
        pruner=Pruner(),
    )


def trial(number: int, params: dict[str, Any], value: float | None, state: str = "complete") -> TrialRecord:
    return TrialRecord(number=number, state=state, params=params, value=value)  # type: ignore[arg-type]


def searched(a_space: Space, value_of: Any, n_trials: int, state: str = "complete", seed: int = 1) -> list[TrialRecord]:
    trials: list[TrialRecord] = []
    for number in range(n_trials):
        params = propose(a_space, trials, seed)
        assert params is not None
        trials.append(trial(number, params, value_of(params), state))
    return trials


def test_proposal_asks_only_what_is_active() -> None:
    a_space = space(ARCHITECTURE, BLOCKS, RATE)

    trials = searched(a_space, lambda params: 0.5, 20)

    for one in trials:
        assert ("blocks" in one.params) == (one.params["architecture"] == "VGG16")
        assert all(parameter.contains(one.params[parameter.name]) for parameter in a_space.active(one.params))


def test_proposal_is_derived_again_from_same_history() -> None:
    a_space = space(ARCHITECTURE, BLOCKS, WIDTH, RATE)
    trials = searched(a_space, lambda params: params["learning_rate"], 14)

    assert propose(a_space, trials, 1) == propose(a_space, trials, 1)
    assert propose(a_space, trials, 1) != propose(a_space, trials, 2)


def test_proposals_while_others_run_are_different() -> None:
    a_space = space(WIDTH, RATE)
    running: list[TrialRecord] = []
    for number in range(20):
        params = propose(a_space, running, 7)
        assert params is not None
        running.append(trial(number, params, None, "running"))

    assert len({tuple(sorted(one.params.items())) for one in running}) == 20


def test_point_is_not_proposed_twice_while_others_are_left() -> None:
    a_space = space(BATCH)

    trials = searched(a_space, lambda params: 0.5, 4)

    assert sorted(one.params["batch_size"] for one in trials) == [256, 512, 1024, 2048]


@pytest.mark.parametrize("reason", ["crashed", "stalled", "out_of_memory"])
def test_f15_point_that_cannot_be_trained_is_not_proposed_again(reason: Any) -> None:
    a_space = space(BATCH, sampler="random")
    deadly = TrialRecord(
        number=0, state="failed", params={"batch_size": 256}, value=None, outcome=Outcome(reason=reason, why="")
    )
    trials = [deadly, *(trial(n, {"batch_size": size}, 0.5) for n, size in enumerate((512, 1024, 2048), 1))]

    again = [propose(a_space, trials, seed) for seed in range(20)]

    assert {one["batch_size"] for one in again if one} == {512, 1024, 2048}


def test_sampler_learns_from_paused_trials() -> None:
    a_space = space(ARCHITECTURE, WIDTH, RATE)

    later: Counter[str] = Counter()
    for seed in range(4):
        trials = searched(
            a_space, lambda params: 0.9 if params["architecture"] == "DenseNet121" else 0.1, 40, "paused", seed
        )
        later.update(one.params["architecture"] for one in trials[20:])

    assert later["DenseNet121"] >= 52  # of 80


def test_first_proposals_after_the_defaults_use_what_paused_trials_showed() -> None:
    networks = ("VGG16", "MobileNet", "EfficientNetB1", "DenseNet121")
    a_space = space(Parameter(name="architecture", kind="choice", choices=networks), WIDTH, RATE)
    defaults = [dict(point.values) for point in a_space.default_points()]
    values = (0.02, 0.1, 0.05, 0.7)
    paused = [trial(number, params, values[number], "paused") for number, params in enumerate(defaults)]

    first = Counter(params["architecture"] for seed in range(20) if (params := propose(a_space, paused, seed)))
    more = [*paused, trial(4, {**defaults[0], "learning_rate": 2e-5}, None, "running")]
    second = Counter(params["architecture"] for seed in range(20) if (params := propose(a_space, more, seed)))

    assert first["DenseNet121"] >= 15
    assert len(second) == 4  # every second one is random at first, lest the early scores deceive


def test_sampler_learns_nothing_from_a_trial_that_was_given_back_without_a_value() -> None:
    a_space = space(ARCHITECTURE, WIDTH, RATE)
    known = searched(a_space, lambda params: params["learning_rate"], 12)
    point = {**known[0].params, "learning_rate": 3e-4}

    given_back = propose(a_space, [*known, trial(12, point, None, "paused")], 1)

    assert given_back == propose(a_space, [*known, trial(12, point, None, "running")], 1)


@pytest.mark.parametrize("reason", ["collapsed", "diverged"])
def test_sampler_learns_from_hopeless_trials(reason: Any) -> None:
    a_space = space(ARCHITECTURE, WIDTH, RATE)
    later: Counter[str] = Counter()
    for seed in range(4):
        trials: list[TrialRecord] = []
        for number in range(40):
            params = propose(a_space, trials, seed)
            assert params is not None
            if params["architecture"] == "VGG16":
                outcome = Outcome(reason=reason, why="")
                trials.append(TrialRecord(number=number, state="failed", params=params, value=None, outcome=outcome))
            else:
                trials.append(trial(number, params, 0.5))
        later.update(one.params["architecture"] for one in trials[20:])

    assert later["VGG16"] <= 28  # of 80


def test_numeric_choice_keeps_its_order() -> None:
    a_space = space(BATCH, RATE)

    # Best in the middle of the order: neighbours are tried more than the far end.
    worth = {256: 0.2, 512: 0.6, 1024: 0.9, 2048: 0.7}
    trials = searched(a_space, lambda params: worth[params["batch_size"]], 60)

    later = Counter(one.params["batch_size"] for one in trials[20:])
    assert later[1024] > later[256]
    assert set(later) <= {256, 512, 1024, 2048}  # true values, not positions


def test_minimised_study_prefers_small_values() -> None:
    a_space = space(RATE, direction="minimize")

    trials = searched(a_space, lambda params: params["learning_rate"], 30)

    later = [one.params["learning_rate"] for one in trials[20:]]
    assert sorted(later)[len(later) // 2] < 1e-4


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_history_with_failed_and_waiting_trials(sampler: str) -> None:
    a_space = space(ARCHITECTURE, BLOCKS, RATE, sampler=sampler)
    failed = Outcome(reason="crashed", why="")
    params = {"architecture": "DenseNet121", "learning_rate": 1e-3}
    trials = [
        TrialRecord(number=0, state="failed", params=params, value=None, outcome=failed),
        trial(1, params, None, "waiting"),
    ]

    assert propose(a_space, trials, 0) is not None


def test_grid_goes_through_all_points_once_and_ends() -> None:
    a_space = space(ARCHITECTURE, BLOCKS, sampler="grid")

    trials = searched(a_space, lambda params: 0.5, 5)

    assert [one.params for one in trials] == [
        *({"architecture": "VGG16", "blocks": blocks} for blocks in (2, 3, 4, 5)),
        {"architecture": "DenseNet121"},
    ]
    assert propose(a_space, trials, 0) is None


def test_seed_depends_on_every_part() -> None:
    seeds = [derived_seed(*parts) for parts in ((0,), (1,), (0, 0), (0, 1), (1, 0), (10,), (1, 0, 0))]

    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
