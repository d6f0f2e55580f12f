from __future__ import annotations

import subprocess
import sys

import pytest

from storage.errors import StorageError
from storage.files import Files, safe_name


def test_folders_made_when_asked_for(tmp_path):
    files = Files(tmp_path / "files")
    assert not files.root.exists()

    assert files.logs.is_dir()
    assert files.artifacts.is_dir()
    assert not files.trial("study", 3).exists()


def test_trial_folder_per_attempt(tmp_path):
    files = Files(tmp_path)

    assert files.trial("head-shrink", 7) == tmp_path / "trials/head-shrink/7"
    assert files.trial("head-shrink", 7, "abc") == tmp_path / "trials/head-shrink/7/abc"


@pytest.mark.parametrize(
    "name", ["../../etc", "/etc/passwd", "..", ".", "", "a/b", "a\0b", "\x1b[31m", "C:\\x", "é", "x" * 300, ".hidden"]
)
def test_study_name_cannot_lead_out(tmp_path, name):
    folder = Files(tmp_path).trial(name, 0)

    assert folder.parent.parent == tmp_path / "trials"
    folder.mkdir(parents=True)
    assert folder.resolve().is_relative_to(tmp_path / "trials")


def test_safe_name_distinct_for_distinct_names():
    names = ["a b", "a_b", "a/b", "a.b", "é", "è", "", "..", "x" * 100, "x" * 101]

    assert len({safe_name(name) for name in names}) == len(names)
    assert safe_name("head-shrink_2.1") == "head-shrink_2.1"


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../outside", "link/file"])
def test_path_outside_refused(tmp_path, path):
    root = tmp_path / "files"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)

    with pytest.raises(StorageError) as caught:
        Files(root).path(path)

    assert str(caught.value) == f"a store's files must lie in {root}, but got {path!r}"


def test_trial_folder_symlink_refused(tmp_path):
    (tmp_path / "files/trials").mkdir(parents=True)
    (tmp_path / "files/trials/study").symlink_to(tmp_path)

    with pytest.raises(StorageError, match="must lie in"):
        Files(tmp_path / "files").trial("study", 0)


def test_relative_and_back(tmp_path):
    files = Files(tmp_path)
    kept = files.relative(files.trial("study", 1) / "best.npz")

    assert kept == "trials/study/1/best.npz"
    assert files.path(kept) == tmp_path / "trials/study/1/best.npz"
    assert files.relative(None) is None


def test_relative_from_elsewhere_refused(tmp_path):
    with pytest.raises(StorageError, match="must lie in"):
        Files(tmp_path / "files").relative(tmp_path / "other/best.npz")


def test_root_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError) as caught:
        _ = Files(tmp_path / "file").logs

    assert str(caught.value) == (
        f"the folder {tmp_path}/file/logs must be writable, but Not a directory; "
        "$HPSEARCH_FILES names another folder for logs, checkpoints and artifacts"
    )


def test_light_modules_import_no_database():
    code = (
        "import sys, storage.errors, storage.url, storage.files, storage.locks;"
        "sys.exit(bool({'sqlalchemy', 'optuna', 'psycopg'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
