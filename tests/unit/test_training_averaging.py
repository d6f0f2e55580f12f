from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from search.training.weight_average import DECAY, WeightAverage


class Variable:
    """What the average needs of one of Keras'."""

    shape, dtype = (2,), "float32"

    def __init__(self) -> None:
        self.value = np.zeros(2, "float32")

    def numpy(self) -> np.ndarray:
        return self.value.copy()

    def assign(self, value: np.ndarray) -> None:
        self.value = value.copy()


def average_of(variable: Variable, batch_size: int, epoch_steps: int) -> WeightAverage:
    def assign(variables: Sequence[Variable], values: Sequence[np.ndarray]) -> None:
        for one, value in zip(variables, values, strict=True):
            one.assign(value)

    return WeightAverage([variable], batch_size, epoch_steps, read=Variable.numpy, assign=assign)


def averaged(values: list[float], batch_size: int = 512, epoch_steps: int = 1000) -> float:
    variable = Variable()
    average = average_of(variable, batch_size, epoch_steps)
    for step, value in enumerate(values, 1):
        variable.assign(np.full(2, value, "float32"))
        average.add(step)
    assert average.means[0].dtype == np.float32
    return float(average.means[0][0])


def test_mean_has_the_weights_of_the_paper():
    values = [3.0, 1.0, 4.0, 1.0, 5.0]

    expected = values[0]
    for n, value in enumerate(values[1:], 2):
        expected = (1 - (DECAY + 1) / (n + DECAY)) * expected + (DECAY + 1) / (n + DECAY) * value

    assert averaged(values) == pytest.approx(expected)


def test_mean_reaches_back_over_the_last_fifth():
    lag = 1000 - averaged([float(step) for step in range(1, 1001)])

    assert lag == pytest.approx(1000 / (DECAY + 2), rel=0.01)


def test_first_steps_weights_are_those_of_the_last_one():
    assert averaged([1.0, 2.0, 3.0], batch_size=128) == 3.0


def test_mean_moves_in_each_epoch_however_short_it_is():
    values = [1.0, 2.0, 3.0, 4.0]

    assert averaged(values, batch_size=8, epoch_steps=1) == averaged(values)
    assert averaged(values, batch_size=8) == 4.0  # the first look of many


@pytest.mark.parametrize("batch_size", [128, 200, 512, 2048])
def test_jitter_goes(batch_size: int):
    jitter = np.random.default_rng(0).normal(1.0, 0.1, 2000)

    assert averaged(list(jitter), batch_size) == pytest.approx(1.0, abs=0.02)


def test_weights_are_put_back_after_an_error():
    variable = Variable()
    average = average_of(variable, 512, 1000)
    for step in (1, 2):
        variable.assign(np.full(2, step, "float32"))
        average.add(step)

    seen = []

    def fail() -> None:
        seen.append(variable.value[0])
        raise KeyError

    with pytest.raises(KeyError), average.in_place():
        fail()

    assert seen == [average.means[0][0]]
    assert seen[0] < 2
    assert variable.value[0] == 2


def test_values_are_means_where_there_are_any():
    variable, other = Variable(), Variable()
    average = average_of(variable, 512, 1000)
    for step in (1, 2):
        variable.assign(np.full(2, step, "float32"))
        average.add(step)
    other.assign(np.full(2, 7.0, "float32"))

    first, second = average.values([other, variable])

    assert first.tolist() == [7.0, 7.0]
    assert second.tolist() == average.means[0].tolist()
    assert variable.value[0] == 2  # in whose place nothing was put
