"""The studies of a store, where others create and delete them meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from search.codec import own
from search.errors import StudyNotFoundError, UnreadableStudyError
from search.study import Study, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from storage.store import Store


class PassedOver:
    """Studies that cannot be read: each is named once, and nothing else stops for it."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """`say` is told of each, in a sentence."""
        self._say = say
        self._named: set[str] = set()

    @contextmanager
    def over(self, name: str) -> Iterator[None]:
        """Break off what is done with the study of that name where it cannot be read, without an error."""
        try:
            yield
        except UnreadableStudyError as error:
            if name not in self._named:
                self._named.add(name)
                self._say(f"passed over: {error}")


def whole(store: Store, wanted: Iterable[str] = (), *, passed_over: PassedOver) -> Iterator[Study]:
    """The studies of these names, or all of the store's, without those on which no worker can work.

    Those are studies that hpsearch did not make, one whose creation goes on or was cut short, one that
    was deleted since it was named, and those that cannot be read.
    """
    for name in wanted or names(store):
        study = None
        with passed_over.over(name):
            study = _opened(store, name)
        if study:
            yield study


@contextmanager
def outlives_deletions(store: Store) -> Iterator[None]:
    """Break off, without an error, what finds a study gone in its middle because somebody deleted it."""
    before = _keys(store)
    try:
        yield
    except KeyError:
        if before <= _keys(store):
            raise


def forget_deleted(store: Store, name: str) -> None:
    """Forget what the ledger has of a deleted study, unless one of its name was created since: its trials are live."""
    with store.lock(f"create {name}"):
        if name not in names(store):
            store.ledger.forget(name)


def remove_cut_short(store: Store, name: str) -> bool:
    """Remove a study of ours whose creation did not get as far as its space; whether there was one.

    Nobody can have a trial of it. The caller holds the lock under which studies of that name are created.
    """
    if name not in names(store):
        return False
    study_id = store.optuna.get_study_id_from_name(name)
    has = own(store.optuna.get_study_system_attrs(study_id))
    if not has or "space" in has:
        return False
    store.optuna.delete_study(study_id)
    return True


def _keys(store: Store) -> set[int]:
    """Of all studies; one that is created anew under its name has another, or (SQLite) it is not missed."""
    return {study._study_id for study in store.optuna.get_all_studies()}


def _opened(store: Store, name: str) -> Study | None:
    try:
        return Study(store, name)
    except StudyNotFoundError:
        return None
    except KeyError:  # deleted while it was opened
        if name in names(store):
            raise
        return None
