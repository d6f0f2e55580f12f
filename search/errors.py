"""What can go wrong for a person, and the exit status of each."""

from __future__ import annotations

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C or SIGTERM has ended."""


class SearchError(RuntimeError):
    """It failed, and the message says what to do about it. Exit status 1."""

    exit_code = 1


class UsageError(SearchError):
    """The command was used wrongly. Exit status 2."""

    exit_code = 2


class StudyMismatchError(SearchError):
    """A study of that name exists and searches something else, or on other data."""


class StudyNotFoundError(SearchError):
    """No study of that name is in the store."""


class UnreadableStudyError(SearchError):
    """What the store has of a study cannot be read: it is damaged, or another version wrote it."""


class TrialNotFoundError(SearchError):
    """The study has no such trial, or it has no value or no weights yet."""


class TrainerError(SearchError):
    """The trainer process could not be started or broke off a request."""


class WorkerUnfitError(SearchError):
    """Trials fail on this worker, and probably because of it; they are left to others."""
