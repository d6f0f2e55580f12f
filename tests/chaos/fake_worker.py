"""`python fake_worker.py STORE FILES LEASE [STUDY]`: a real worker in a process, with a trainer that pretends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from fake_trainer import FakeTrainer

from search import machine
from search.commands.logs import log_to_terminal
from search.errors import SearchError
from search.worker import caretaker, claim, trainer
from search.worker.orders import Orders
from search.worker.patience import until_free
from search.worker.worker import Worker
from storage.store import open_store

if __name__ == "__main__":
    address, files, lease, *studies = sys.argv[1:]
    if ahead := os.environ.get("CHAOS_CLOCK"):
        clock = time.time
        time.time = lambda: clock() + float(ahead)
    if free := os.environ.get("CHAOS_FREE"):  # a file with the bytes that are free
        machine.free_disk = lambda folder: int(Path(free).read_text())
    if most := os.environ.get("CHAOS_MAX_LOST"):
        claim.MAX_LOST = caretaker.MAX_LOST = int(most)
    trainer.started = lambda threads, log, is_unwanted: FakeTrainer()
    log_to_terminal()
    try:
        with until_free(lambda: open_store(address, files, create=False)) as store:
            Worker(store, Orders(studies=tuple(studies), drain=True, lease=float(lease))).run()
    except SearchError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
