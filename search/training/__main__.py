"""Start a trainer: `python -m search.training --commands FD --events FD --threads N --memory BYTES`."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys

from search.training import process


def main() -> int:
    """Serve a worker over two inherited file descriptors; 0 when it says Quit or is gone."""
    process.leave_signals_to_worker()
    parser = argparse.ArgumentParser(prog="python -m search.training", description=__doc__)
    parser.add_argument("--commands", type=int, required=True, help="file descriptor that commands are read from")
    parser.add_argument("--events", type=int, required=True, help="file descriptor that events are written to")
    parser.add_argument("--threads", type=int, required=True, help="cores that this trainer may use")
    parser.add_argument("--memory", type=int, required=True, help="bytes up to which compiled networks are kept")
    options = parser.parse_args()
    process.prepare(options.threads)

    # Threads and memory are settled before anything is computed; Keras is imported after that.
    with process.without("matplotlib", "pandas", "sklearn"):
        from search.training import tensorflow_runtime

    tensorflow_runtime.configure(options.threads)
    from search.training.channel import Channel
    from search.training.loop import Trainer

    # What is imported stays: garbage is not looked for among it, which takes longer than all the rest.
    gc.collect()
    gc.freeze()
    # Without a worker there is nobody left to train for: an orderly end.
    with contextlib.suppress(EOFError):
        Trainer(Channel(options.commands, options.events), options.memory).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
