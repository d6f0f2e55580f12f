"""The folder beside the database: what trials write while they train, artifacts and logs."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from storage.errors import StorageError

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_NAME_LENGTH = 80  # of at most 255 that file systems take, with room for suffixes


class Files:
    """Where the files of a store lie; no name can lead out of it.

    The folders `logs` and `artifacts` are there when asked for; a trial's folder is made by
    whoever writes into it.
    """

    def __init__(self, root: str | Path) -> None:
        """Keep the folder's absolute path; nothing is created yet."""
        self.root = Path(root).absolute()

    @property
    def artifacts(self) -> Path:
        """Pictures and other things that the dashboard shows with a trial."""
        return self._made("artifacts")

    @property
    def logs(self) -> Path:
        """Logs of workers and trainers."""
        return self._made("logs")

    def trial(self, study: str, number: int, token: str | None = None) -> Path:
        """The folder of one trial, or of one attempt at it.

        `token` is the attempt's lease token: with it, two workers that both think they have the
        trial write to two folders.
        """
        last = f"{number:d}" if token is None else f"{number:d}/{safe_name(token)}"
        return self.path(f"trials/{safe_name(study)}/{last}")

    def path(self, relative: str | Path) -> Path:
        """The absolute path of something kept by its path from here, as `relative` gives it.

        Raises:
            StorageError: if it leads out of the folder: absolute, by `..`, or by a symbolic link.
        """
        path = self.root / relative
        if ".." in Path(relative).parts or not path.resolve().is_relative_to(self.root.resolve()):
            raise StorageError(f"a store's files must lie in {self.root}, but got {str(relative)!r}")
        return path

    def relative(self, path: str | Path | None) -> str | None:
        """What to write down of a path in here, so that it holds on other machines; None for None.

        Raises:
            StorageError: if the path lies elsewhere.
        """
        if path is None:
            return None
        resolved, root = Path(path).resolve(), self.root.resolve()
        if not resolved.is_relative_to(root):
            raise StorageError(f"a store's files must lie in {self.root}, but got {str(path)!r}")
        return resolved.relative_to(root).as_posix()

    def _made(self, name: str) -> Path:
        folder = self.path(name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the folder {folder} must be writable, but {error.strerror}; "
                "$HPSEARCH_FILES names another folder for logs, checkpoints and artifacts"
            ) from error
        return folder


def safe_name(name: str) -> str:
    """A file name for any text: itself if harmless, else what is harmless of it and a short hash.

    Two different texts never get the same name, but for a hash collision of 48 bits.
    """
    kept = _UNSAFE.sub("_", name)[:_NAME_LENGTH].lstrip(".")
    if kept == name and kept:
        return kept
    return f"{kept or 'name'}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"
