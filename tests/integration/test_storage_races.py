"""Several processes at once on one store, started together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from itertools import chain

import optuna
import pytest

from storage.errors import LockTimeoutError
from storage.store import check_schema, open_store

# A server that has the heavy imports done forks each process: clean ones, without their cost.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["storage.store", "alembic.command"])


def together(n, work, *arguments):
    """Run `work` in `n` processes; returns what each returned.

    `work` is given its number, a function that waits until all have called it, and the arguments.
    """
    barrier, answers = CONTEXT.Barrier(n), CONTEXT.Queue()
    processes = [CONTEXT.Process(target=_run, args=(barrier, answers, work, number, arguments)) for number in range(n)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    return found


def _run(barrier, answers, work, number, arguments):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        answers.put(work(number, barrier.wait, *arguments))
    except BaseException as error:
        answers.put(error)


def open_and_use(number, wait, url):
    wait()
    with open_store(url) as store, store.lock("study"):
        study = optuna.create_study(study_name="s", storage=store.optuna, load_if_exists=True)
        trial = study.ask()
        store.ledger.take("s", trial.number, f"w{number}", 60.0)
        return trial.number


def pop_queued(number, wait, url):
    with open_store(url, create=False) as store:
        study = optuna.load_study(study_name="s", storage=store.optuna)
        wait()
        popped = []
        while (trial := study.ask()).user_attrs:
            popped.append(trial.user_attrs["queued"])
        return popped


def create_trials(number, wait, url):
    with open_store(url, create=False) as store:
        study = optuna.load_study(study_name="s", storage=store.optuna)
        wait()
        return [study.ask().number for _ in range(10)]


def reap(number, wait, url):
    with open_store(url, create=False) as store:
        store.ledger.holdings("s")  # connected before the start
        wait()
        return [holding.number for holding in store.ledger.reap("s")]


def resume_all(number, wait, url):
    with open_store(url, create=False) as store:
        wait()
        taken = [store.ledger.resume("s", trial, f"w{number}", 60.0) for trial in range(20)]
        return [holding.number for holding in taken if holding]


def count_under_lock(number, wait, url, file):
    with open_store(url, create=False) as store:
        wait()
        for _ in range(20):
            with store.lock("count"):
                read = int(file.read_text())
                time.sleep(0.001)
                file.write_text(str(read + 1))


def hold_lock(url, entered):
    with open_store(url, create=False) as store, store.lock("x"):
        entered.set()
        time.sleep(3600)  # until it is killed


def test_f24_creation_by_eight_at_once(store_url):
    found = together(8, open_and_use, store_url)

    assert sorted(found, key=str) == list(range(8))
    assert check_schema(store_url).is_current


def test_f06_thirty_queued_by_four(store):
    study = optuna.create_study(study_name="s", storage=store.optuna)
    for number in range(30):
        study.enqueue_trial({"x": number}, user_attrs={"queued": number})

    found = together(4, pop_queued, store.url.full)

    assert Counter(chain.from_iterable(found)) == Counter(range(30))


def test_trial_numbers_by_four(store):
    optuna.create_study(study_name="s", storage=store.optuna)

    found = together(4, create_trials, store.url.full)

    assert sorted(chain.from_iterable(found)) == list(range(40))


def test_f05_stale_trials_reaped_by_four(store):
    for number in range(30):
        store.ledger.take("s", number, "gone", 0.2)
    time.sleep(0.4)
    assert store.ledger.reap("s") == []  # doubted, as others have done before
    time.sleep(0.2)

    found = together(4, reap, store.url.full)

    assert sorted(chain.from_iterable(found)) == list(range(30))


def test_released_trials_resumed_by_four(store):
    for number in range(20):
        store.ledger.release(store.ledger.take("s", number, "w", 60.0), 1)

    found = together(4, resume_all, store.url.full)

    assert sorted(chain.from_iterable(found)) == list(range(20))


def test_lock_excludes_others(store, tmp_path):
    file = tmp_path / "count"
    file.write_text("0")

    assert together(4, count_under_lock, store.url.full, file) == [None] * 4
    assert file.read_text() == "80"


def test_lock_of_killed_process_freed(store):
    entered = CONTEXT.Event()
    process = CONTEXT.Process(target=hold_lock, args=(store.url.full, entered), daemon=True)
    process.start()
    assert entered.wait(600)

    with pytest.raises(LockTimeoutError) as caught, store.lock("x", timeout=0.2):
        pass
    assert str(caught.value) == (
        "the lock 'x' must be free within 0.2 s, but another process still holds it; "
        "if it hangs, end it: the lock is freed with it"
    )
    with store.lock("y", timeout=0.2):  # another name is another lock
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with store.lock("x"):
        pass
