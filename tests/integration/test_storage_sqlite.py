"""What makes SQLite safe for several processes of one machine."""

from __future__ import annotations

import sqlite3
import threading

import pytest
import sqlalchemy as sa

from storage import file_systems, machines
from storage.errors import LockTimeoutError, StorageError
from storage.locks import file_lock
from storage.schema import use_write_ahead_log
from storage.store import open_store
from storage.url import StoreUrl


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/hpsearch.db"


def pragma(engine, name):
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_settings_of_every_connection(url):
    with open_store(url) as store:
        for engine in (store.engine, store.optuna.engine):
            assert pragma(engine, "journal_mode") == "wal"
            assert pragma(engine, "busy_timeout") == 30_000
            assert pragma(engine, "synchronous") == 1  # NORMAL
            assert pragma(engine, "foreign_keys") == 1


def test_locking_read_begins_as_writer(url, tmp_path):
    with open_store(url) as store, store.engine.connect() as connection:
        table = sa.table("hpsearch_schema", sa.column("version"))
        other = sqlite3.connect(tmp_path / "hpsearch.db", timeout=0)

        connection.execute(sa.select(table.c.version))
        other.execute("BEGIN IMMEDIATE").close()  # a plain read locks nobody out
        other.rollback()

        connection.execute(sa.select(table.c.version).with_for_update())
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            other.execute("BEGIN IMMEDIATE")
        connection.rollback()
        other.execute("BEGIN IMMEDIATE").close()
        other.close()


def test_write_lock_of_another_process_waited_for(url, tmp_path):
    with open_store(url) as store:
        other = sqlite3.connect(tmp_path / "hpsearch.db", check_same_thread=False, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        has_begun_to_commit = threading.Event()

        def commit():
            has_begun_to_commit.set()
            other.execute("COMMIT")

        timer = threading.Timer(1.5, commit)
        timer.start()
        store.ledger.take("s", 0, "w", 60.0)
        was_early = not has_begun_to_commit.is_set()
        timer.join()
        other.close()

    assert not was_early


def test_reader_goes_on_beside_writer(url, tmp_path):
    with open_store(url) as store:
        store.ledger.take("s", 0, "w", 60.0)
        other = sqlite3.connect(tmp_path / "hpsearch.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE hpsearch_trials SET worker = 'unseen'")
        (holding,) = store.ledger.holdings("s")  # a reader that waits would fail: nobody commits meanwhile
        other.rollback()
        other.close()

    assert holding.worker == "w"


def test_file_with_other_journal_mode_taken_on(url, tmp_path):
    open_store(url).close()
    with sqlite3.connect(tmp_path / "hpsearch.db") as plain:
        assert plain.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    plain.close()

    with open_store(url) as store:
        assert pragma(store.engine, "journal_mode") == "wal"


def test_write_ahead_log_impossible():
    engine = sa.create_engine("sqlite+hpsearch:///:memory:")

    with pytest.raises(StorageError) as caught:
        use_write_ahead_log(engine)

    engine.dispose()
    assert str(caught.value) == (
        "SQLite must be able to keep a write-ahead log, but here it stays with 'memory'; "
        "put the file on a disk of this machine, or use PostgreSQL"
    )


def test_file_name_odd_characters(tmp_path):
    folder = tmp_path / "my {runs} 100%"
    folder.mkdir()
    url = StoreUrl(database="x", path=folder / "a?b.db").full

    with open_store(url) as store:
        store.optuna.create_new_study([], "s")
    assert (folder / "a?b.db").exists()


def test_same_lock_through_link(url, tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "hpsearch.db")

    with (
        open_store(url) as store,
        open_store(f"sqlite:///{tmp_path}/link.db") as other,
        store.lock("x"),
        pytest.raises(LockTimeoutError, match="another process still holds it"),
        other.lock("x", timeout=0.1),
    ):
        pass


def test_file_lock_survives_error(tmp_path):
    with pytest.raises(ZeroDivisionError), file_lock(tmp_path, "x", 1.0):
        raise ZeroDivisionError
    with file_lock(tmp_path, "x", 0.1):
        pass


def test_file_lock_nowhere_to_keep_it(tmp_path):
    (tmp_path / "locks").write_text("a file where a folder should be")

    with pytest.raises(StorageError) as caught, file_lock(tmp_path / "locks", "x", 1.0):
        pass

    assert str(caught.value) == (
        f"the folder of a SQLite store must be writable, but {tmp_path}/locks/x.lock: File exists; "
        "put the store into a folder of yours"
    )


def test_folder_missing(tmp_path):
    with pytest.raises(StorageError) as caught:
        open_store(f"sqlite:///{tmp_path}/absent/hpsearch.db")

    assert str(caught.value) == (
        f"the folder of a SQLite store must exist, but {tmp_path}/absent does not; create it first"
    )


def test_file_of_another_kind(url, tmp_path):
    (tmp_path / "hpsearch.db").write_text("not a database at all, but longer than its header " * 9)

    with pytest.raises(StorageError) as caught:
        open_store(url)

    assert str(caught.value) == (
        f"the store {url} must answer, but: file is not a database; "
        "the address names a file of another kind; give the store a file of its own"
    )


def test_files_beside_database(url, tmp_path, monkeypatch):
    with open_store(url) as store:
        assert store.files.root == tmp_path / "hpsearch-files"
    monkeypatch.setenv("HPSEARCH_FILES", str(tmp_path / "elsewhere"))
    with open_store(url) as store:
        assert store.files.root == tmp_path / "elsewhere"
    with open_store(url, tmp_path / "given") as store:
        assert store.files.root == tmp_path / "given"


MOUNTED = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:40 / {folder} rw,relatime shared:2 master:1 - {kind} server:/export rw
"""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "9p", "fuse", "fuse.sshfs"])
def test_f23_file_on_a_network_file_system_is_refused(tmp_path, monkeypatch, kind):
    folder = tmp_path / "a share"
    folder.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTED.format(folder=str(folder).replace(" ", "\\040"), kind=kind))
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)
    (tmp_path / "link").symlink_to(folder)

    for place in (folder, tmp_path / "link"):
        with pytest.raises(StorageError, match=rf"is on {kind}, .* or use PostgreSQL: postgresql://USER@HOST"):
            open_store(f"sqlite:///{place}/hpsearch.db")
    assert list(folder.iterdir()) == []
    open_store(f"sqlite:///{tmp_path}/hpsearch.db").close()


def test_f23_file_that_another_machine_works_on_is_refused(url, tmp_path, monkeypatch):
    elsewhere = tmp_path / "boot_id"
    elsewhere.write_text("another kernel\n")
    with open_store(url) as store:
        token = store.ledger.take("s", 0, "w", 60.0)
        open_store(url).close()  # as many processes as you like, here
        monkeypatch.setattr(machines, "BOOT", elsewhere)

        with pytest.raises(StorageError, match=r"is in use on another machine, .* use PostgreSQL: postgresql://USER"):
            open_store(url)

        assert store.ledger.release(token, 0)
        open_store(url).close()  # nobody works there any more: the file may have been moved
        monkeypatch.undo()
        open_store(url).close()


def test_machine_that_has_no_name_is_none_other(url, tmp_path, monkeypatch):
    with open_store(url) as store:
        store.ledger.take("s", 0, "w", 60.0)
        monkeypatch.setattr(machines, "BOOT", tmp_path / "nothing")

        open_store(url).close()


@pytest.mark.parametrize("kind", ["ext4", "tmpfs", "overlay", "fuse.fuse-overlayfs", "fuseblk"])
def test_file_on_a_disk_of_this_machine_is_taken(tmp_path, monkeypatch, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTED.format(folder=tmp_path, kind=kind))
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)

    open_store(f"sqlite:///{tmp_path}/hpsearch.db").close()
