"""What a worker without work says."""

from __future__ import annotations

import pytest

from search.worker.idleness import Idle, sentence


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("open", "all that may run now runs already: waiting for results"),
        ("late", "nothing more fits into the time it has left; the `hpsearch start` that began it opens it again"),
        ("out_of_time", "its time is up; the `hpsearch start` that began it opens it again"),
        ("stopped", "it was stopped; the `hpsearch start` that began it opens it again"),
        ("finished", "its budget of trials is used up; the `hpsearch start` that began it opens it again if it names"),
        ("refused", "its data could not be loaded here, or are others than it was begun on"),
    ],
)
def test_one_study_is_told_with_its_reason_and_cure(why: str, words: str) -> None:
    said = sentence([Idle(study="digits", why=why)])  # type: ignore[arg-type]

    assert said.startswith(f"no work: study digits: {words}")


def test_no_study_is_told_with_how_to_begin_one() -> None:
    assert "there is no study yet; `hpsearch start --space" in sentence([])


def test_open_study_is_told_before_those_that_have_ended() -> None:
    said = sentence([Idle(study="old", why="finished"), Idle(study="new", why="open")])

    assert "study new" in said
    assert "old" not in said


def test_many_studies_are_counted() -> None:
    ended = [Idle(study=f"s{number}", why="finished") for number in range(9)]
    waiting = [Idle(study=f"s{number}", why="open") for number in range(4)]

    assert sentence(ended).startswith("no work: none of 9 studies is open; `hpsearch start` opens one again")
    assert sentence([*ended, *waiting]).startswith("no work: 4 studies are open, and all that may run")
