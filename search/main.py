"""The entry point: runs the command line and decides, here alone, how it exits."""

from __future__ import annotations

import sys

from search import signals
from search.errors import INTERRUPTED

BUG = 3


def main() -> None:
    """Run `hpsearch`; exit 0, 1 (it failed), 2 (wrong usage), 3 (a bug) or 130 (interrupted)."""
    signals.interrupt()
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; every message goes to stderr."""
    from search.calling import program
    from search.cli import app

    try:
        result = app(args=arguments, prog_name=program(), standalone_mode=False)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the one place where everything ends
        return _report(error)
    return result if isinstance(result, int) else 0


def _report(error: Exception) -> int:
    import click

    if isinstance(error, click.exceptions.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    status = _expected_status(error)
    if status is not None:
        from search.calling import as_called
        from search.texts import clean_lines, without_password

        print(f"hpsearch: {clean_lines(as_called(without_password(str(error))))}", file=sys.stderr)  # noqa: T201
        return status
    return _bug(error)


def _expected_status(error: Exception) -> int | None:
    """The exit status of an error that is meant for a person; None for one that is a bug.

    Known by module and not by class, so that nothing heavy is imported to ask.
    """
    from search.errors import SearchError
    from spaces.errors import SpaceError

    if isinstance(error, SpaceError):
        return 2
    if isinstance(error, SearchError):
        return error.exit_code
    if "storage.errors" in sys.modules:
        from storage.errors import StorageError

        if isinstance(error, StorageError):
            return 1
    return None


def _bug(error: Exception) -> int:
    import platform
    import tempfile
    import traceback

    from search.texts import clean_lines, without_password

    text = without_password("".join(traceback.format_exception(error)))
    with tempfile.NamedTemporaryFile("w", prefix="hpsearch-bug-", suffix=".log", delete=False) as file:
        file.write(f"hpsearch {_version()}, Python {platform.python_version()}, {platform.platform()}\n")
        file.write(text)
    print(  # noqa: T201
        f"hpsearch: this is a bug: {type(error).__name__}: {clean_lines(without_password(str(error)))}\n"
        f"The whole story is in {file.name}; please send it with your report.",
        file=sys.stderr,
    )
    return BUG


def _version() -> str:
    from importlib.metadata import version

    return version("hpsearch")


if __name__ == "__main__":
    main()
