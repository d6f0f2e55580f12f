from __future__ import annotations

import errno

import numpy as np
import pytest

from search.training import files


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "state.json"
    files.write_json(path, {"epoch": 1})

    def full_disk(file):
        file.write(b"half a")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.write(path, full_disk)
    assert path.read_text() == '{"epoch": 1}'
    assert names(tmp_path) == ["state.json"]


def test_arrays_come_back_in_order(tmp_path):
    arrays = [np.full((index % 3, 2), index, dtype=np.float32) for index in range(12)] + [np.array(7)]
    files.write_arrays(tmp_path / "a.npz", arrays)

    back = files.read_arrays(tmp_path / "a.npz")

    assert len(back) == len(arrays)
    for one, other in zip(arrays, back, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_prune_keeps_the_last_two_of_each_kind(tmp_path):
    for images in (1, 2, 3, 10):
        touch(tmp_path, f"checkpoint-{images:09d}.npz", f"checkpoint-{images:09d}.json")
    touch(tmp_path, "best-000000001.npz", "best-000000002.npz", "best-000000010.npz", "confusion-000000002.json")
    touch(tmp_path, "checkpoint-000000011.npz.123.part", "notes.txt")

    files.prune(tmp_path)

    assert names(tmp_path) == [
        "best-000000002.npz",
        "best-000000010.npz",
        "checkpoint-000000003.json",
        "checkpoint-000000003.npz",
        "checkpoint-000000010.json",
        "checkpoint-000000010.npz",
        "confusion-000000002.json",
        "notes.txt",
    ]


def test_f17_prune_keeps_what_an_old_checkpoint_speaks_of(tmp_path):
    """As on a full disk: since that checkpoint there was room for best weights only, then for no manifest."""
    files.write_json(files.checkpoint_manifest(tmp_path, 1), {"state": {"best_images": 1}})
    touch(tmp_path, "checkpoint-000000001.npz", "checkpoint-000000004.npz", "checkpoint-000000005.npz")
    touch(tmp_path, *(f"best-{images:09d}.npz" for images in range(6)))
    touch(tmp_path, *(f"confusion-{images:09d}.json" for images in range(6)))

    files.prune(tmp_path)

    assert names(tmp_path) == [
        "best-000000001.npz",
        "best-000000004.npz",
        "best-000000005.npz",
        "checkpoint-000000001.json",
        "checkpoint-000000001.npz",
        "confusion-000000001.json",
        "confusion-000000004.json",
        "confusion-000000005.json",
    ]


def test_checkpoints_are_found_newest_first(tmp_path):
    touch(
        tmp_path,
        "checkpoint-000000002.json",
        "checkpoint-000000010.json",
        "checkpoint-000000011.npz",
        "checkpoint-x.json",
    )

    assert files.checkpoints(tmp_path) == [10, 2]


def test_removal_of_checkpoints_leaves_the_best(tmp_path):
    touch(
        tmp_path,
        "checkpoint-000000002.json",
        "checkpoint-000000002.npz",
        "best-000000002.npz",
        "confusion-000000002.json",
    )

    files.remove_checkpoints(tmp_path)

    assert names(tmp_path) == ["best-000000002.npz", "confusion-000000002.json"]
