"""Workers that stand still for longer than their lease. Real processes; only the training is pretended."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from arena import Arena


@pytest.mark.slow
def test_f07_worker_suspended_for_longer_than_its_lease(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=2, epochs=30)
    first = arena.worker(seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 2, "two epochs")
    time.sleep(0.1)  # in the midst of an epoch, not of a transaction
    os.kill(first.pid, signal.SIGSTOP)
    arena.worker()
    arena.wait_for(lambda: arena.trial().is_accepted, "the second worker's result")
    before = arena.store.optuna.get_trial(arena.study.trial_id(0))

    os.kill(first.pid, signal.SIGCONT)

    arena.wait_for(lambda: "lease lost" in arena.log(0), "the first worker's insight")
    arena.ended(0)
    arena.ended(1)
    assert arena.store.optuna.get_trial(arena.study.trial_id(0)) == before
    arena.check(accepted=2)


@pytest.mark.slow
def test_f08_worker_suspended_while_it_writes_a_checkpoint(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=60)
    first = arena.worker(CHAOS_STOPS_IN="3")
    arena.wait_for(lambda: list(arena.store.files.root.rglob("*.part")), "half a checkpoint")
    arena.worker(seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 8, "epochs of the second attempt")
    [holding] = arena.store.ledger.holdings("chaos")
    mine = arena.study.folder(0, holding.token)

    before = len(json.loads(next(mine.glob("checkpoint-*.json")).read_text()))
    os.kill(first.pid, signal.SIGCONT)
    arena.wait_for(lambda: "lease lost" in arena.log(0), "the first worker's insight")
    after = len(json.loads(next(mine.glob("checkpoint-*.json")).read_text()))

    assert before >= 8
    assert after >= before  # never the third epoch's again
    arena.ended(0)
    arena.ended(1)
    assert arena.trial().attempts == 2
    assert not list(arena.store.files.root.rglob("*.part"))
    arena.check(accepted=1)


@pytest.mark.slow
def test_f09_result_of_a_suspended_worker_comes_too_late(opened: Callable[..., Arena]) -> None:
    arena = opened()
    first = arena.worker("spooled:stop")
    arena.wait_for(lambda: list(arena.store.files.root.glob("spool/*/*.json")), "a spooled result")
    for file in arena.store.files.root.glob("spool/*/*.json"):
        hidden = file.with_suffix(".hidden")
        file.rename(hidden)  # as on a machine of its own, where nobody else finds it
    arena.worker()
    arena.wait_for(lambda: arena.trial().is_accepted, "the second worker's result")
    value = arena.trial().value

    os.kill(first.pid, signal.SIGCONT)

    arena.ended(0)
    arena.ended(1)
    hidden.unlink()
    [late] = arena.store.late.of("chaos")
    assert late.number == 0
    assert arena.trial().value == value
    assert arena.trial().attempts == 2
    assert "came too late" in arena.log(0)
    arena.check(accepted=1)
