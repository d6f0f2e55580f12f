"""When a worker on which trials fail stands down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_study import DATA, SPACE

from search.errors import WorkerUnfitError
from search.study import Study, create
from search.worker.standing import Standing, Suspicion
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store


def count(standing: Standing, study: Study, number: int) -> None:
    """A trial that failed at once, with the same words as all others."""
    standing.count(study, Suspicion(study=study.name, number=number, message="It fell.", is_reported=True))


def test_trials_of_one_number_in_several_studies_are_several(store: Store) -> None:
    standing = Standing("me")
    studies = [create(store, name, read_space_text(SPACE), DATA, seed=0) for name in ("a", "b", "c")]
    count(standing, studies[0], 0)
    count(standing, studies[1], 0)

    with pytest.raises(WorkerUnfitError, match="3 trials in a row failed here"):
        count(standing, studies[2], 0)


def test_one_trial_that_fails_again_and_again_is_one(store: Store) -> None:
    standing = Standing("me")
    study = create(store, "a", read_space_text(SPACE), DATA, seed=0)

    for _ in range(4):
        count(standing, study, 0)
    count(standing, study, 1)
