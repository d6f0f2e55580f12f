"""`python fake_worker.py STORE FILES LEASE [STUDY]`: a real worker in a process, with a trainer that pretends."""

from __future__ import annotations

import os
import sys
import time

from fake_trainer import FakeTrainer

from search.commands.logs import log_to_terminal
from search.errors import SearchError
from search.worker import trainer
from search.worker.worker import Orders, Worker
from storage.store import open_store

if __name__ == "__main__":
    address, files, lease, *studies = sys.argv[1:]
    if ahead := os.environ.get("CHAOS_CLOCK"):
        clock = time.time
        time.time = lambda: clock() + float(ahead)
    trainer.started = lambda threads, log: FakeTrainer()
    log_to_terminal()
    try:
        with open_store(address, files, create=False) as store:
            Worker(store, Orders(studies=tuple(studies), drain=True, lease=float(lease))).run()
    except SearchError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
