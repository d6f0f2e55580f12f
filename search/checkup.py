"""What a machine brings to a search, and what would stop one."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import version

from search import machine
from search.calling import as_called
from search.view.tables import counted
from storage.errors import StorageError
from storage.store import open_store


def checkup(storage: str) -> dict[str, str]:
    """Look at everything that a search needs; findings by name, in words. Creates nothing."""
    shares = machine.shares()
    found = {
        "python": platform.python_version(),
        **{name: version(name) for name in ("hpsearch", "keras", "tensorflow", "optuna")},
        "cores": _cores(),
        "memory": _memory(),
        "gpu": f"{len(machine.gpus())} NVIDIA" if machine.gpus() else "none",
        "workers": f"auto starts {shares.workers}, {counted(shares.threads, 'thread')} each",
        "disk": f"{_gib(shutil.disk_usage('.').free)} GiB free here",
    }
    return {**found, "store": _store(storage), "data": _data()}


def _cores() -> str:
    found = machine.processors()
    if found.quota is not None:
        return f"{found.usable} (this container's quota is {found.quota:.3g}; the machine has {found.installed})"
    if found.usable < found.installed:
        return f"{found.usable} (that this process may use; the machine has {found.installed})"
    return str(found.usable)


def _memory() -> str:
    found = machine.memory()
    limit = f" (this container's limit; the machine has {_gib(found.installed)})" if found.is_limited else ""
    return f"{_gib(found.total)} GiB{limit}, {_gib(machine.available_memory())} GiB available"


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f}"


def _store(storage: str) -> str:
    try:
        store = open_store(storage, create=False)
    except StorageError as error:
        return as_called(str(error))
    try:
        return f"{store.url.masked} answers, and its schema is current"
    finally:
        store.close()


def _data() -> str:
    from search.training.data.emnist import default_data_folder
    from search.training.data.sources import list_sources

    folder = default_data_folder()
    there = [row.source for row in list_sources(folder) if row.on_disk]
    return f"{', '.join(there)} (more is looked for in {folder})"
