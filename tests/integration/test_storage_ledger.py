"""The contract of the ledger, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage.errors import StorageError, TrialTakenError
from storage.store import open_store
from storage.tables import metadata

TTL = 60.0
PAST = -1.0  # a lease that has run out when it begins
CLOCK = 0.1  # seconds that two readings of one clock may be rounded apart


@pytest.fixture
def ledger(store):
    return store.ledger


def only(ledger, study="s"):
    (holding,) = ledger.holdings(study)
    return holding


def doubt_and_reap(ledger, study=None):
    assert ledger.reap(study) == []
    return ledger.reap(study)


def test_take_new_trial(store, ledger):
    before = store.now()
    token = ledger.take("s", 0, "w1", TTL)
    after = store.now()

    holding = only(ledger)
    assert (holding.study, holding.number, holding.state) == ("s", 0, "running")
    assert (holding.token, holding.worker, holding.attempt) == (token, "w1", 1)
    assert (holding.rung, holding.epoch, holding.value, holding.is_lost) == (None, 0, None, False)
    assert before <= holding.expires_at - TTL <= after
    assert before <= holding.changed_at <= after


def test_take_trial_that_is_there(ledger):
    token = ledger.take("s", 0, "w1", TTL)

    with pytest.raises(TrialTakenError) as caught:
        ledger.take("s", 0, "w2", TTL)

    assert str(caught.value) == "a trial must be new to be taken, but trial 0 of 's' is in the ledger"
    assert only(ledger).token == token


def test_take_same_number_of_another_study(ledger):
    ledger.take("s", 0, "w1", TTL)
    ledger.take("t", 0, "w1", TTL)

    assert [only(ledger, study).study for study in ("s", "t")] == ["s", "t"]


def test_renew_moves_expiry(ledger):
    token = ledger.take("s", 0, "w1", 1.0)
    before = only(ledger).expires_at

    assert ledger.renew(token, TTL)
    assert only(ledger).expires_at > before + TTL / 2


def test_renew_after_expiry_nobody_reaped(ledger):
    token = ledger.take("s", 0, "w1", PAST)

    assert ledger.renew(token, TTL)
    assert ledger.reap("s") == []


def test_reap_expired_lease(ledger):
    fresh = ledger.take("s", 0, "w1", TTL)
    ledger.take("s", 1, "w2", PAST)
    ledger.take("t", 0, "w3", PAST)

    (reaped,) = doubt_and_reap(ledger, "s")
    assert (reaped.number, reaped.state, reaped.worker) == (1, "released", "w2")
    assert (reaped.token, reaped.attempt, reaped.is_lost) == (None, 1, True)
    assert ledger.reap("s") == []
    assert ledger.renew(fresh, TTL)
    assert only(ledger, "t").state == "running"


def test_reap_lease_that_runs_out_in_time(ledger):
    token = ledger.take("s", 0, "w1", TTL)
    assert ledger.reap("s") == []

    assert ledger.renew(token, 0.1)
    time.sleep(0.2)
    assert ledger.reap("s") == []  # doubted
    time.sleep(0.2)
    assert [holding.number for holding in ledger.reap("s")] == [0]


def test_f10_lease_that_ran_out_unseen_is_doubted_before_it_is_reaped(ledger):
    token = ledger.take("s", 0, "w1", 0.2)
    time.sleep(0.4)  # the database was away, or the machine slept

    assert ledger.reap("s") == []
    assert only(ledger).doubted_at is not None
    assert ledger.renew(token, TTL)
    assert only(ledger).doubted_at is None
    time.sleep(0.2)
    assert ledger.reap("s") == []
    assert only(ledger).token == token


def test_f10_reap_that_takes_as_long_as_a_doubt_lasts(store, ledger):
    token = ledger.take("s", 0, "w1", 0.2)
    time.sleep(0.3)

    def wait(*_):  # as a slow machine does, or one that sleeps in the midst of a transaction
        time.sleep(0.2)

    sa.event.listen(store.engine, "before_cursor_execute", wait)
    try:
        assert ledger.reap("s") == []
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", wait)

    assert ledger.renew(token, TTL)


def test_reap_all_studies(ledger):
    for study in ("s", "t"):
        ledger.take(study, 0, "w1", PAST)
        ledger.take(study, 1, "w1", TTL)

    assert [(holding.study, holding.number) for holding in doubt_and_reap(ledger)] == [("s", 0), ("t", 0)]
    assert ledger.reap() == []


def test_decide_fixes_the_first_result(ledger):
    token = ledger.take("s", 0, "w1", TTL)

    assert ledger.decide(token, "first")
    assert ledger.decide(token, "second")  # as one that was not heard; nothing is changed
    assert (only(ledger).state, only(ledger).result) == ("decided", "first")
    assert not ledger.renew(token, TTL)
    assert not ledger.release(token, 1)
    assert not ledger.drop("s", 0)
    assert ledger.end(token)
    assert ledger.decide(token, "third")
    assert (only(ledger).state, only(ledger).result) == ("ended", None)


@pytest.mark.parametrize("also_resumed", [False, True])
def test_f09_decide_after_reaping_is_refused(ledger, also_resumed):
    token = ledger.take("s", 0, "w1", PAST)
    doubt_and_reap(ledger, "s")
    if also_resumed:
        ledger.resume("s", 0, "w2", TTL)
    before = only(ledger)

    assert not ledger.decide(token, "late")
    assert only(ledger) == before


def test_decided_trial_is_finished_by_others_and_not_tried_again(ledger):
    ledger.decide(ledger.take("s", 0, "w1", PAST), "result")
    ledger.decide(ledger.take("s", 1, "w1", TTL), "fresh")

    assert ledger.reap("s") == []
    assert ledger.resume("s", 0, "w2", TTL) is None
    assert [(holding.number, holding.result) for holding in ledger.unfinished()] == [(0, "result")]


def test_exhausted_after_so_many_losses(ledger):
    ledger.take("s", 0, "w1", PAST)
    doubt_and_reap(ledger, "s")
    ledger.release(ledger.take("s", 1, "w1", TTL), 1)
    assert ledger.exhausted(2) == []

    ledger.resume("s", 0, "w2", PAST)
    assert ledger.exhausted(2) == []
    doubt_and_reap(ledger, "s")
    assert [holding.number for holding in ledger.exhausted(2)] == [0]
    assert ledger.exhausted(2, "t") == []


def test_late_result_kept_once(store):
    assert store.late.keep("token", "s", 3, "{}")
    assert not store.late.keep("token", "s", 3, "{}")
    store.late.keep("other", "t", 1, "{}")

    [late] = store.late.of("s")
    assert (late.token, late.number, late.result) == ("token", 3, "{}")
    store.late.forget("s")
    assert store.late.of("s") == []


@pytest.mark.parametrize("also_resumed", [False, True])
def test_old_token_after_reaping_is_void(ledger, also_resumed):
    token = ledger.take("s", 0, "w1", PAST)
    doubt_and_reap(ledger, "s")
    if also_resumed:
        ledger.resume("s", 0, "w2", TTL)
    before = only(ledger)

    assert not ledger.renew(token, TTL)
    assert not ledger.pause(token, 1, 1)
    assert not ledger.release(token, 1)
    assert not ledger.end(token)
    assert only(ledger) == before


def test_pause_and_resume(ledger):
    first = ledger.take("s", 0, "w1", TTL)

    assert ledger.pause(first, rung=3, epoch=3)
    paused = only(ledger)
    assert (paused.state, paused.rung, paused.epoch) == ("paused", 3, 3)
    assert paused.expires_at is None

    resumed = ledger.resume("s", 0, "w2", TTL)
    assert resumed == only(ledger)
    assert (resumed.state, resumed.worker, resumed.attempt, resumed.epoch) == ("running", "w2", 1, 3)
    assert resumed.token != first
    assert not ledger.renew(first, TTL)


def test_paused_trial_is_not_reaped(ledger):
    ledger.pause(ledger.take("s", 0, "w1", PAST), 1, 1)

    assert ledger.reap("s") == []
    assert only(ledger).state == "paused"


@pytest.mark.parametrize(("lost", "attempt"), [(False, 1), (True, 2)])
def test_attempt_after_release(ledger, lost, attempt):
    token = ledger.take("s", 0, "w1", TTL)

    assert ledger.release(token, 2, lost=lost)
    assert (only(ledger).state, only(ledger).epoch, only(ledger).attempt) == ("released", 2, 1)
    assert ledger.resume("s", 0, "w2", TTL).attempt == attempt


def test_attempt_after_reaping_twice(ledger):
    ledger.take("s", 0, "w1", PAST)
    doubt_and_reap(ledger, "s")
    ledger.resume("s", 0, "w2", PAST)
    (reaped,) = doubt_and_reap(ledger, "s")

    assert reaped.attempt == 2
    assert ledger.resume("s", 0, "w3", TTL).attempt == 3


def test_attempt_counted_once_for_each_loss(ledger):
    ledger.take("s", 0, "w1", PAST)
    doubt_and_reap(ledger, "s")
    second = ledger.resume("s", 0, "w2", TTL)
    ledger.release(second.token, 1)

    assert ledger.resume("s", 0, "w3", TTL).attempt == 2


def test_resume_only_once(ledger):
    ledger.release(ledger.take("s", 0, "w1", TTL), 1)

    assert ledger.resume("s", 0, "w2", TTL) is not None
    assert ledger.resume("s", 0, "w3", TTL) is None
    assert only(ledger).worker == "w2"


@pytest.mark.parametrize("ending", ["running", "ended", "absent"])
def test_resume_what_cannot_be(ledger, ending):
    if ending != "absent":
        token = ledger.take("s", 0, "w1", TTL)
        if ending == "ended":
            ledger.end(token)

    assert ledger.resume("s", 0, "w2", TTL) is None


def test_end_is_final(ledger):
    token = ledger.take("s", 0, "w1", TTL)

    assert ledger.end(token)
    assert not ledger.renew(token, TTL)
    assert not ledger.pause(token, 1, 1)
    assert not ledger.release(token, 1)
    assert only(ledger).state == "ended"


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger, token: ledger.end(token),
        lambda ledger, token: ledger.pause(token, 1, 1),
        lambda ledger, token: ledger.release(token, 1),
    ],
    ids=["end", "pause", "release"],
)
def test_change_repeated_after_unheard_answer(ledger, change):
    token = ledger.take("s", 0, "w1", TTL)

    assert change(ledger, token)
    once = only(ledger)
    assert change(ledger, token)
    assert replace(only(ledger), changed_at=once.changed_at) == once


def test_unknown_token(ledger):
    ledger.take("s", 0, "w1", TTL)

    assert not ledger.renew("nobody's", TTL)
    assert not ledger.end("nobody's")


def test_drop_what_nobody_holds(ledger):
    ledger.take("s", 0, "w1", PAST)
    assert not ledger.drop("s", 0)

    doubt_and_reap(ledger, "s")
    assert ledger.drop("s", 0)
    assert only(ledger).state == "ended"
    assert not ledger.drop("s", 1)


def test_decide_trial_that_waits(ledger):
    first = ledger.take("s", 0, "w1", TTL)
    assert ledger.decide_waiting("s", 0, "me", TTL, str) is None  # a worker holds it
    ledger.pause(first, 1, 1)

    token = ledger.decide_waiting("s", 0, "me", PAST, lambda token: f"result of {token}")

    decided = only(ledger)
    assert (decided.state, decided.token, decided.worker, decided.attempt) == ("decided", token, "me", 1)
    assert decided.result == f"result of {token}"
    assert [holding.number for holding in ledger.unfinished()] == [0]  # the process that decided it may have died
    assert ledger.resume("s", 0, "w2", TTL) is None
    assert ledger.decide_waiting("s", 0, "me", TTL, str) is None
    assert ledger.end(token)


def test_holdings_by_number_and_state(ledger):
    tokens = {number: ledger.take("s", number, "w", TTL) for number in (2, 0, 1)}
    ledger.release(tokens[1], 1)

    assert [holding.number for holding in ledger.holdings("s")] == [0, 1, 2]
    assert [holding.number for holding in ledger.holdings("s", states=("released", "paused"))] == [1]
    assert ledger.holdings("nothing") == []


def test_forget_study(ledger):
    ledger.take("s", 0, "w1", TTL)
    ledger.take("t", 0, "w1", TTL)
    ledger.forget("s")

    assert ledger.holdings("s") == []
    assert only(ledger, "t").number == 0
    ledger.take("s", 0, "w1", TTL)


def test_study_name_odd_characters(ledger):
    name = "'; DROP TABLE hpsearch_trials; -- {x} %s \x1b[31m ünï"
    ledger.take(name, 0, "w1", TTL)

    assert only(ledger, name).study == name


def test_workers_seen(ledger):
    ledger.join("a", "host", 10)
    ledger.join("b", "host", 11)
    assert ledger.beat("a", "s", 3, "epoch 1, step 5/9")

    first, second = ledger.workers(within=30.0)
    assert (first.id, first.host, first.pid) == ("a", "host", 10)
    assert (first.study, first.trial, first.progress) == ("s", 3, "epoch 1, step 5/9")
    assert 0 <= first.seen <= 30
    assert (second.id, second.study, second.trial, second.progress) == ("b", None, None, "")


def test_workers_long_not_seen(store, ledger):
    ledger.join("a", "host", 10)
    ledger.join("b", "host", 11)
    with store.engine.begin() as connection:  # an hour ago
        connection.exec_driver_sql("UPDATE hpsearch_workers SET seen_at = seen_at - 3600 WHERE id = 'a'")

    assert [row.id for row in ledger.workers(within=1800.0)] == ["b"]
    assert [row.id for row in ledger.workers(within=7200.0)] == ["a", "b"]


def test_worker_joins_again(ledger):
    ledger.join("a", "host", 10)
    ledger.join("a", "host", 12)

    assert [row.pid for row in ledger.workers(within=30.0)] == [12]


def test_worker_leaves(ledger):
    ledger.join("a", "host", 10)
    ledger.leave("a")

    assert ledger.workers(within=30.0) == []
    assert not ledger.beat("a", None, None)


def test_ledger_seen_by_another_process(store):
    token = store.ledger.take("s", 0, "w1", TTL)

    with open_store(store.url.full, create=False) as other:
        assert only(other.ledger) == only(store.ledger)
        assert other.ledger.end(token)
    assert only(store.ledger).state == "ended"


def test_clock_of_the_database(store):
    before, now, after = time.time(), store.now(), time.time()
    assert before - CLOCK <= now <= after + CLOCK
    first, second = store.now(), store.now()
    assert second >= first


def test_ledger_without_tables(store_url):
    with open_store(store_url) as store:
        metadata.drop_all(store.engine)

        with pytest.raises(StorageError, match=r"must answer, but: .*hpsearch_trials"):
            store.ledger.holdings("s")
