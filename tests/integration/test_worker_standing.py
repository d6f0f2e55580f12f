"""When a worker on which trials fail stands down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search.errors import WorkerUnfitError
from search.study import Study, create
from search.training.messages import DataLoaded
from search.worker.standing import Standing, Suspicion
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store

SPACE = """\
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-4, 1e-2], log: true}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 2}
"""
DATA = DataLoaded(
    source="mnist-5k", fingerprint="ab" * 32, image_shape=(28, 28, 1), classes=list("0123456789"),
    n_train=3600, n_validation=400, n_test=1000,
)  # fmt: skip


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
