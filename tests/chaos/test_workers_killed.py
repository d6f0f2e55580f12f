"""Workers that die at a named place. Real processes; only the training is pretended."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from arena import Arena

from search.signals import SAME_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable


KILLED = -signal.SIGKILL


@pytest.mark.slow
def test_f01_worker_killed_in_the_middle(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=20)
    arena.worker(seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 3, "three epochs")
    arena.workers[0].kill()
    done = arena.epochs()

    arena.worker()

    arena.ended(1)
    assert arena.trial().attempts == 2
    assert f"trial 0 epoch {done}:" not in arena.log(1)  # it was not trained again
    arena.check(accepted=1)


def test_worker_that_cannot_see_the_checkpoint_says_so_and_starts_over(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=6)
    arena.worker(seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 3, "three epochs")
    arena.workers[0].terminate()
    arena.ended(0)
    done = arena.epochs()
    for file in arena.study.folder(0).rglob("checkpoint-*"):
        file.unlink()

    arena.worker()

    arena.ended(1)
    said = f"trial 0 goes on from epoch 0, not from epoch {done}: its checkpoint is damaged, or not in this folder"
    assert said in arena.log(1)
    assert "trial 0 epoch 1:" in arena.log(1)
    arena.check(accepted=1)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "attempts"), [("created", 1), ("leased", 2)])
def test_f02_worker_killed_before_its_first_beat(opened: Callable[..., Arena], place: str, attempts: int) -> None:
    arena = opened(trials=2)
    arena.worker(f"{place}:kill:2")  # the second trial's
    arena.ended(0, KILLED)

    arena.worker()

    arena.ended(1)
    assert arena.trial(1).attempts == attempts
    arena.check(accepted=2)


@pytest.mark.parametrize("place", ["spooled", "decided", "told"])
def test_f03_worker_killed_while_it_records(opened: Callable[..., Arena], place: str) -> None:
    arena = opened()
    arena.worker(f"{place}:kill")
    arena.ended(0, KILLED)

    arena.worker()

    arena.ended(1)
    assert arena.trial().attempts == 1
    assert "epoch" not in arena.log(1)  # the result was there: nothing was trained again
    arena.check(accepted=1)


@pytest.mark.slow
def test_f04_reaper_killed_before_it_gives_up(opened: Callable[..., Arena]) -> None:
    arena = opened()
    few = {"CHAOS_MAX_LOST": "3"}  # each takes its time
    for attempt in range(3):
        arena.worker("judged:kill", **few)
        arena.wait_for(lambda: arena.trial().attempts == attempt + 1, "the next attempt")  # noqa: B023
        arena.ended(attempt, KILLED)
    arena.worker("reaped:kill", **few)  # it takes the trial from the last one, and dies before it gives it up
    arena.ended(3, KILLED)

    arena.worker(**few)

    arena.ended(4)
    assert arena.trial().attempts == 3
    assert arena.trial().outcome.reason == "lost"
    arena.check(accepted=0)


@pytest.mark.slow
def test_f12_worker_asked_to_end_costs_no_attempt(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=20)
    first = arena.worker(seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 3, "three epochs")
    first.terminate()
    arena.ended(0)
    done = arena.epochs()

    arena.worker()

    arena.ended(1)
    assert arena.trial().attempts == 1
    assert f"trial 0 epoch {done}:" not in arena.log(1)
    arena.check(accepted=1)


def test_f12_worker_asked_by_several_signals_at_once_is_asked_once(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=1000)
    first = arena.worker(seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 1, "an epoch")

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGTERM):
        first.send_signal(number)

    arena.ended(0)
    [holding] = arena.store.ledger.holdings("chaos")
    assert (holding.state, holding.is_lost) == ("released", False)
    assert arena.trial().outcome.why.startswith("Given back after")


def test_f12_worker_asked_twice_leaves_at_once(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=1000)
    first = arena.worker(seconds=1000)
    arena.wait_for(arena.progress, "a trial under way")
    first.send_signal(signal.SIGTERM)
    arena.wait_for(lambda: "giving the trial back" in arena.log(0), "the first request heard")

    time.sleep(SAME_SECONDS)  # what comes within that time is the same request
    first.send_signal(signal.SIGINT)

    arena.ended(0, status=130)
    [holding] = arena.store.ledger.holdings("chaos")
    assert (holding.state, holding.is_lost) == ("released", False)


def test_f12_worker_asked_twice_where_python_drops_exceptions(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=1000)

    arena.worker(seconds=0.3, CHAOS_DEAF="1")

    arena.ended(0, status=130)
    assert "Exception ignored in" in arena.log(0)
    [holding] = arena.store.ledger.holdings("chaos")
    assert (holding.state, holding.is_lost) == ("released", False)


@pytest.mark.slow
def test_f12_worker_killed_while_it_gives_back(opened: Callable[..., Arena]) -> None:
    arena = opened(epochs=20)
    first = arena.worker("paused:kill", seconds=0.3)
    arena.wait_for(lambda: arena.epochs() >= 2, "two epochs")
    first.terminate()
    arena.ended(0, KILLED)

    arena.worker()

    arena.ended(1)
    assert arena.trial().attempts == 2
    arena.check(accepted=1)


@pytest.mark.slow
def test_f29_workers_killed_at_random(opened: Callable[..., Arena]) -> None:
    import random

    chance = random.Random(4)  # the seed
    arena = opened(trials=12, epochs=6)
    until = time.monotonic() + 300
    while arena.study.state() == "open" and time.monotonic() < until:
        while sum(process.poll() is None for process in arena.workers) < 3:
            arena.worker(seconds=0.2)
        time.sleep(chance.uniform(2.0, 5.0))
        if len(arena.workers) < 10:
            chance.choice([process for process in arena.workers if process.poll() is None] or arena.workers).kill()
    for process in arena.workers:
        process.wait(timeout=120)

    arena.check(accepted=12)


def test_f16_trial_that_diverged_is_neither_tried_again_nor_the_best(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=3)
    arena.worker(CHAOS_DIVERGES="0")

    arena.ended(0)

    trial, best = arena.trial(0), arena.study.best()
    assert (trial.state, trial.outcome.reason, trial.attempts) == ("failed", "diverged", 1)
    assert [entry["epoch"] for entry in trial.curve] == [1, 2]
    assert arena.log(0).count("trial 0 of chaos:") == 1
    assert best is not None
    assert best.number != 0
    arena.check(accepted=2)


def test_f17_worker_takes_no_trial_while_the_disk_is_nearly_full(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=3)
    free = arena.folder / "free"
    free.write_text(str(2**30 - 1))
    arena.worker(CHAOS_FREE=str(free))
    arena.wait_for(lambda: "no work is taken: a trial needs 1 GiB of free disk" in arena.log(0), "the reason")
    time.sleep(3.0)  # some looks for work
    assert [trial.state for trial in arena.study.trials()] == ["waiting"]

    free.write_text(str(2**30))

    arena.ended(0)
    assert arena.log(0).count("no work is taken") == 1
    arena.check(accepted=3)


def test_f19_worker_stops_after_three_failures_with_the_same_words(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=9)
    arena.worker(CHAOS_BROKEN="The images cannot be read.")

    arena.ended(0, status=1)

    assert "this worker stands down: 3 trials in a row" in arena.log(0)
    assert "with the same words; the last one: The images cannot be read." in arena.log(0)
    assert [trial.state for trial in arena.study.trials()] == ["failed"] * 3


@pytest.mark.slow
def test_bad_worker_stands_down_and_its_trials_go_back(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=8, epochs=20)
    arena.worker(seconds=0.1)
    arena.wait_for(lambda: arena.epochs() > 1, "a good worker's epochs")

    arena.worker(CHAOS_BROKEN="Trial # cannot be built.")  # each time other words

    arena.ended(1, status=1)
    assert "while others succeed" in arena.log(1)
    arena.ended(0)
    arena.check(accepted=8)
    assert sum(trial.attempts == 2 for trial in arena.study.trials()) == 3


def test_point_that_fails_on_both_workers_ends_the_study(opened: Callable[..., Arena]) -> None:
    arena = opened(trials=1)
    free = arena.folder / "free"
    free.write_text("0")  # until both are there
    for _ in range(2):
        arena.worker(CHAOS_BROKEN="It cannot be built.", CHAOS_FREE=str(free))
    arena.wait_for(lambda: len(arena.store.ledger.workers(within=60.0)) == 2, "both workers")

    free.write_text(str(2**40))

    for number in range(2):
        arena.ended(number)
    assert [(trial.state, trial.attempts) for trial in arena.study.trials()] == [("failed", 3)]
    assert arena.study.state() == "finished"
