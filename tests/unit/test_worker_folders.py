from __future__ import annotations

from search.worker.folders import of, remove, remove_all_checkpoints, take_over


def left(folder, images, text):
    folder.mkdir(parents=True, exist_ok=True)
    for name in (f"checkpoint-{images:09d}.npz", f"checkpoint-{images:09d}.json", f"best-{images:09d}.npz"):
        (folder / name).write_text(text)


def texts(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_first_attempt_begins_with_nothing(tmp_path):
    assert take_over(of(tmp_path / "3"), tmp_path / "3/a") == tmp_path / "3/a"
    assert not (tmp_path / "3").exists()


def test_attempt_begins_with_the_furthest_before_it(tmp_path):
    left(tmp_path / "a", 100, "a")
    left(tmp_path / "b", 200, "b")
    (tmp_path / "b/half.part").write_text("half")

    take_over(of(tmp_path), tmp_path / "c")

    assert set(texts(tmp_path / "c").values()) == {"b"}
    assert len(texts(tmp_path / "c")) == 3


def test_attempt_begins_with_what_an_earlier_version_left(tmp_path):
    left(tmp_path, 100, "old")

    before = of(tmp_path)
    take_over(before, tmp_path / "a")
    remove(before, tmp_path)

    assert set(texts(tmp_path / "a").values()) == {"old"}
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_f08_attempt_that_is_lost_cannot_change_the_next_ones_files(tmp_path):
    left(tmp_path / "a", 100, "a")
    earlier = of(tmp_path)
    take_over(earlier, tmp_path / "b")
    before = texts(tmp_path / "b")

    late = tmp_path / "a/new.part"
    late.write_text("written late")
    late.replace(tmp_path / "a/checkpoint-000000100.npz")  # as every file of a trial is written
    assert texts(tmp_path / "b") == before

    remove(earlier, tmp_path)
    assert not (tmp_path / "a").exists()
    assert texts(tmp_path / "b") == before


def test_f08_attempt_that_comes_back_late_leaves_the_next_ones_folder(tmp_path):
    left(tmp_path / "a", 100, "a")
    before = of(tmp_path)
    take_over(before, tmp_path / "b")  # and then it is suspended
    left(tmp_path / "c", 300, "c")

    remove(before, tmp_path)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "c"]


def test_take_over_that_was_killed_is_done_again(tmp_path):
    left(tmp_path / "a", 100, "a")
    left(tmp_path / "b.part", 200, "half")

    take_over(of(tmp_path), tmp_path / "b")

    assert set(texts(tmp_path / "b").values()) == {"a"}
    assert not (tmp_path / "b.part").exists()


def test_checkpoints_of_all_attempts_removed(tmp_path):
    left(tmp_path / "a", 100, "a")
    left(tmp_path, 100, "old")

    remove_all_checkpoints(tmp_path)

    assert sorted(file.name for file in tmp_path.rglob("*.npz")) == ["best-000000100.npz"] * 2
