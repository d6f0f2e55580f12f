from __future__ import annotations

from search.training.vitals.thinning import thinned


def steps(signs):
    return [entry["step"] for entry in signs]


def test_thinned_keeps_few_signs_as_they_are():
    signs = [{"step": step, "loss": 1.0} for step in (1, 2, 3)]

    assert thinned(signs, 3) == signs


def test_thinned_keeps_both_ends_and_more_of_the_beginning():
    kept = steps(thinned([{"step": step} for step in range(1, 101)], 40))

    assert len(kept) == 40
    assert kept[:18] == list(range(1, 19))
    assert kept[-4:] == [76, 84, 92, 100]


def test_thinned_again_as_more_come_stays_bounded():
    kept = []
    for start in range(1, 20_001, 400):
        kept = thinned([*kept, *({"step": step} for step in range(start, start + 400, 10))], 50)

    assert len(kept) == 50
    assert steps(kept)[0] == 1
    assert steps(kept)[-1] == 19_991
    assert steps(kept) == sorted(steps(kept))
