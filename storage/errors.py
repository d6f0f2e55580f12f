"""What can go wrong with the store, as a person should read it."""

from __future__ import annotations


class StorageError(RuntimeError):
    """The store cannot be used as asked; the text says why and what helps, without any password."""


class LockTimeoutError(StorageError):
    """Another process held a lock for longer than the caller would wait."""


class StoreBusyError(StorageError):
    """The server lends no further connection now; it does when somebody else gives one back."""


class TrialTakenError(StorageError):
    """A trial was to be taken for the first time, but the ledger has it already."""
