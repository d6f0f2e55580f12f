"""What the caretaker does in one round, on real databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_study import DATA, SPACE

from search.study import Study, create
from search.trial import Outcome
from search.worker.caretaker import Caretaker
from search.worker.claim import Claim, Holder, claim
from search.worker.results import Result
from search.worker.spool import Spool
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store


def taken(store: Store, name: str, lease: float = 60.0) -> Claim:
    found = claim(create(store, name, read_space_text(SPACE), DATA, seed=0), Holder(worker="gone", lease=lease))
    assert isinstance(found, Claim)
    return found


def test_trial_of_a_deleted_study_does_not_keep_others_from_their_results(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.worker.caretaker.MAX_LOST", 1)
    exhausted = taken(store, "deleted")
    store.ledger.release(exhausted.token, 0, lost=True)
    store.optuna.delete_study(Study(store, "deleted").id)
    done = taken(store, "mine", lease=-1.0)  # its worker died after it had decided
    result = Result(
        study="mine", number=0, token=done.token, worker="gone", attempt=1, state="complete", value=0.5,
        outcome=Outcome(reason="finished", why="Done."),
        curve=({"epoch": 1, "images": 3600, "val_accuracy": 0.5, "accuracy": 0.5, "loss": 1, "val_loss": 1},),
    )  # fmt: skip
    assert store.ledger.decide(done.token, result.to_json())

    Caretaker(store, Holder(worker="me"), Spool.of(store.files, "me")).round()

    assert Study(store, "mine").trials()[0].state == "complete"
    assert store.ledger.holdings("deleted") == []
