"""A study before its first worker: begun, or found to be the same and carried on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from search.sameness import check_same
from search.studies import remove_cut_short
from search.study import Study, create, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.request import Request
    from search.training.messages import DataLoaded
    from storage.store import Store

ENDING_SHARE = 0.1  # of a time limit: for the last validation and the last records
ENDING_SECONDS = 60.0  # at most


def prepare(store: Store, request: Request, data: DataLoaded, say: Callable[[str], None]) -> Study:
    """Create the study, or check that it is the same and open it again; set its budget and deadline.

    Args:
        store: that holds the study, or will.
        request: what `start` was asked to do.
        data: what this machine has of the study's data.
        say: told, in a line, when there is a study already.

    Raises:
        StudyMismatchError: if a study of that name searches another space, or on other data.
    """
    with store.lock(f"create {request.study}"):
        if remove_cut_short(store, request.study):
            say(f"study {request.study} was not created to the end; it is created anew")
        if request.study in names(store):
            study = Study(store, request.study)
            check_same(study, request.space, data)
            say(f"carrying on study {study.name}: {len(study.trials())} trials so far")
        else:
            study = create(store, request.study, request.space, data, request.seed)
        _set_budget(study, request)
    return study


def _set_budget(study: Study, request: Request) -> None:
    seconds = request.timeout or request.space.budget.time
    margin = 0.0 if seconds is None else min(ENDING_SECONDS, ENDING_SHARE * seconds)
    with study.deciding():
        study.set_control(
            replace(
                study.control(),
                trials=request.trials or request.space.budget.trials,
                deadline=None if seconds is None else study.store.now() + seconds - margin,
                ending=None,
                margin=margin,
            )
        )
