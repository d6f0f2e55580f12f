"""`python -m search.training.data`: reads a `LoadData` line, answers with `DataLoaded` or `Failed`, and ends.

So that a process that only wants to know what a source holds does not keep it in memory.
"""

from __future__ import annotations

import os
import sys
import traceback

from search.training import encoding
from search.training.data.dataset import describe, load_dataset
from search.training.data.errors import DataError
from search.training.messages import DataLoaded, Failed, LoadData


def answer(command: LoadData) -> DataLoaded | Failed:
    """Load the data, or say why that failed."""
    try:
        data = load_dataset(command.source, command.validation, command.train_limit, command.seed)
    except DataError as error:
        return Failed(reason="bad_data", message=str(error))
    except MemoryError:
        return Failed(
            reason="out_of_memory",
            message=f"{command.source} does not fit into this machine's memory; use a smaller source",
            details=traceback.format_exc(),
        )
    except Exception as error:  # noqa: BLE001  the asker gets the reason, whatever it is
        return Failed(reason="crashed", message=f"{type(error).__name__}: {error}", details=traceback.format_exc())
    return DataLoaded(**describe(data))


def main() -> None:
    """Read one line from stdin, write one to stdout."""
    # Keras prints the progress of its downloads: stdout is for the answer alone.
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        command = encoding.decode(sys.stdin.buffer.readline())
        if not isinstance(command, LoadData):
            raise SystemExit(f"LoadData was expected, but got {type(command).__name__}")
        replies.write(encoding.encode(answer(command)))


if __name__ == "__main__":
    main()
