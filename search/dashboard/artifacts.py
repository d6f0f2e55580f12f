"""The artifacts of a store, as the dashboard reads, writes and deletes them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, BinaryIO

from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from storage.files import Files


class GuardedArtifacts:
    """Optuna's protocol of an artifact store over the folder of a store.

    Optuna's own follows symbolic links: here a name that leads out of the folder, in whatever way,
    is that of no artifact.
    """

    def __init__(self, files: Files) -> None:
        """Use the folder `artifacts` of a store's files, which is created if missing."""
        self._files = files
        self._root = files.artifacts

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The artifact's bytes; raises ArtifactNotFound where there is none of that name."""
        try:
            return self._path(artifact_id).open("rb")
        except OSError as error:
            raise ArtifactNotFound(f"there is no artifact {artifact_id!r}") from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep an artifact; raises ArtifactNotFound for a name that leads elsewhere."""
        with self._path(artifact_id).open("wb") as file:
            shutil.copyfileobj(content_body, file)

    def remove(self, artifact_id: str) -> None:
        """Delete an artifact; raises ArtifactNotFound where there is none of that name."""
        try:
            self._path(artifact_id).unlink()
        except OSError as error:
            raise ArtifactNotFound(f"there is no artifact {artifact_id!r}") from error

    def _path(self, artifact_id: str) -> Path:
        try:
            path = self._files.path(self._root / artifact_id)
        except StorageError as error:
            raise ArtifactNotFound(str(error)) from error
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise ArtifactNotFound(f"an artifact must lie in {self._root}, but got {artifact_id!r}")
        return path
