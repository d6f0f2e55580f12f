"""What the race's tables say, on made-up results."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def racing():
    """The race's modules that need neither Keras nor a peer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        from racing import board, figure, legs, standing, table, watch
    return SimpleNamespace(board=board, figure=figure, legs=legs, standing=standing, table=table, watch=watch)


@pytest.fixture
def leg_of(racing):
    def make(contestant, seed, scores, test_accuracy=None, minutes=20.0):
        legs = racing.legs
        winner = None
        if test_accuracy is not None:
            winner = legs.Winner(params={}, value=0.5, test_accuracy=test_accuracy, n_test=100)
        return legs.Result(
            leg=legs.Leg(contestant=contestant, seed=seed, minutes=minutes),
            scores=tuple(
                legs.Score(seconds=seconds, trial=trial, epoch=1, value=value, val_images=part)
                for seconds, trial, value, part in scores
            ),
            winner=winner,
            circumstances={"cores": 2},
        )

    return make


def test_best_at_a_moment_counts_what_was_there_by_then(racing, leg_of):
    scores = leg_of("optuna", 0, [(50, 0, 0.3, None), (80, 1, 0.2, None), (90, 1, 0.6, None)]).scores

    found = [racing.standing.best_at(scores, seconds) for seconds in (49.9, 50, 89, 90, 1e9)]

    assert found == [0.0, 0.3, 0.3, 0.6, 0.6]


def test_passing_needs_more_than_an_equal_value(racing, leg_of):
    scores = leg_of("hpsearch", 0, [(40, 0, 0.5, None), (60, 1, 0.5, None), (70, 1, 0.51, None)]).scores

    assert racing.standing.reached(scores, 0.5) == 40
    assert racing.standing.passed(scores, 0.5) == 70
    assert racing.standing.passed(scores, 0.51) is None


def test_scores_on_a_part_do_not_count_unless_asked_for(racing, leg_of):
    one = leg_of("hpsearch", 0, [(30, 0, 0.7, 500), (60, 0, 0.6, None)])
    standing = racing.standing

    assert standing.over_seeds([one], 100).mean == 0.6
    assert standing.over_seeds([one], 100, partial=True).mean == 0.7
    assert standing.reached_by([one], 0.65) == [None]


def test_seed_without_a_score_counts_as_nothing(racing, leg_of):
    found = racing.standing.over_seeds([leg_of("optuna", 0, [(10, 0, 0.6, None)]), leg_of("optuna", 1, [])], 20)

    assert (found.mean, found.low, found.high, found.n) == (0.3, 0.0, 0.6, 2)


def test_passes_compare_the_same_seeds(racing, leg_of):
    ours = [
        leg_of("hpsearch", 0, [(100, 0, 0.8, None)]),
        leg_of("hpsearch", 1, [(30, 0, 0.2, None), (200, 0, 0.4, None)]),
        leg_of("hpsearch", 2, [(5, 0, 0.9, None)]),
    ]
    theirs = [leg_of("optuna", 1, [(900, 0, 0.3, None)]), leg_of("optuna", 0, [(900, 0, 0.9, None)])]

    assert racing.standing.passes(ours, theirs) == [None, 200]


def test_tables_of_two_contestants(racing, leg_of):
    results = [
        leg_of("hpsearch", 0, [(70, 0, 0.70, 500), (100, 0, 0.80, None), (700, 1, 0.86, None)], 0.85),
        leg_of("hpsearch", 1, [(60, 0, 0.60, None), (150, 2, 0.82, None)], 0.81),
        leg_of("optuna", 0, [(600, 4, 0.40, None)], 0.39),
        leg_of("optuna", 1, [(300, 0, 0.84, None)], 0.83),
    ]

    assert racing.table.tables(results) == (
        "| best validation accuracy after | 75 s | 190 s | 300 s | 600 s | 720 s | 1200 s |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| hpsearch | 0.300 (0.000–0.600) | 0.810 (0.800–0.820) | 0.810 (0.800–0.820) | 0.810 (0.800–0.820) "
        "| 0.840 (0.820–0.860) | 0.840 (0.820–0.860) |\n"
        "| hpsearch, scores on a part of the validation images too | 0.650 (0.600–0.700) | 0.810 (0.800–0.820) "
        "| 0.810 (0.800–0.820) | 0.810 (0.800–0.820) | 0.840 (0.820–0.860) | 0.840 (0.820–0.860) |\n"
        "| optuna | – | – | 0.420 (0.000–0.840) | 0.620 (0.400–0.840) | 0.620 (0.400–0.840) | 0.620 (0.400–0.840) |\n"
        "\n"
        "|  | seeds | test accuracy of the winner | 0.80 reached after, s | 0.85 reached after, s "
        "| trials with a score |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| hpsearch | 2 | 0.830 (0.810–0.850) | 125 (100–150) | 700, never in 1 of 2 | 2 |\n"
        "| optuna | 2 | 0.610 (0.390–0.830) | 300, never in 1 of 2 | never | 1 |\n"
        "\n"
        "|  | final best | hpsearch passed it after, s | part of the race |\n"
        "| --- | --- | --- | --- |\n"
        "| optuna | 0.620 (0.400–0.840) | 100, never in 1 of 2 | 0.08, never in 1 of 2 |\n"
    )


def test_short_race_has_no_marks_beyond_its_end(racing, leg_of):
    found = racing.table.tables([leg_of("optuna", 0, [(60, 0, 0.1234, None)], 0.1, minutes=2.0)])

    assert found.startswith("| best validation accuracy after | 75 s | 120 s |\n")
    assert "| optuna | 0.123 | 0.123 |" in found
    assert "passed" not in found


def test_result_is_read_back_as_it_was(racing, leg_of, tmp_path):
    one = leg_of("keras-tuner", 1, [(30.25, 0, 0.7, 500), (60.5, 0, 0.6, None)], 0.5)
    other = leg_of("optuna", 0, [])
    for result in (one, other, leg_of("hpsearch", 0, [], minutes=2.0)):
        result.save(tmp_path)

    assert racing.legs.results(tmp_path, 20.0) == [other, one]


def test_legs_without_a_result_are_missing(racing, leg_of, tmp_path):
    leg_of("hpsearch", 0, []).save(tmp_path)
    leg_of("optuna", 1, [], minutes=2.0).save(tmp_path)

    keys = [leg.key for leg in racing.legs.missing(tmp_path, 20.0)]

    assert len(keys) == 14
    assert keys[0] == "optuna-s0-20m"
    assert "optuna-s1-20m" in keys


def test_watch_finds_lines_when_they_are_whole(racing, tmp_path):
    logs = tmp_path / "logs"
    watch = racing.watch.Watch(logs, tmp_path / "lines.jsonl", begun=0.0)
    watch.look()  # there is no log yet
    logs.mkdir()
    log = logs / "head-shrink-worker-0.log"
    log.write_text("09:00:00 trial 3 epoch 0.1489: val_accuracy 0.5000\n09:00:05 trial 3 ep")
    watch.look()
    log.write_text(log.read_text() + "och 1: val_accuracy 0.6001\n")
    watch.look()
    watch.look()

    assert [line for _, line in watch.lines] == [
        "0: 09:00:00 trial 3 epoch 0.1489: val_accuracy 0.5000",
        "0: 09:00:05 trial 3 epoch 1: val_accuracy 0.6001",
    ]
    assert len((tmp_path / "lines.jsonl").read_text().splitlines()) == 2


def test_scores_take_time_from_the_log_and_the_rest_from_the_store(racing):
    lines = [
        (41.5, "0: 09:00:00 trial 3 of head-shrink: architecture VGG16"),
        (50.2, "0: 09:00:09 trial 3 epoch 0.1489: val_accuracy 0.5000"),
        (61.0, "1: 09:00:20 trial 3 epoch 1: val_accuracy 0.6001"),
        (62.0, "1: 09:00:21 trial 4 epoch 1: val_accuracy 0.1000"),
    ]
    curve = [
        {"epoch": 0.148936, "images": 2016, "val_accuracy": 0.50004, "val_images": 500},
        {"epoch": 1.0, "images": 13536, "val_accuracy": 0.600133},
    ]

    Score = racing.legs.Score  # noqa: N806
    assert racing.watch.scores(lines, {3: curve}) == (
        Score(seconds=50.2, trial=3, epoch=0.148936, value=0.50004, val_images=500),
        Score(seconds=61.0, trial=3, epoch=1.0, value=0.600133),
        Score(seconds=62.0, trial=4, epoch=1.0, value=0.1),
    )


def test_board_that_was_cut_off_is_read_up_to_there(racing, tmp_path):
    file = tmp_path / racing.board.SCORES
    file.write_text('{"seconds": 1.5, "trial": 0, "epoch": 1, "value": 0.25, "val_images": null}\n{"seconds": 2')

    assert [score.value for score in racing.board.read_scores(file)] == [0.25]
    assert racing.board.read_scores(tmp_path / "none") == ()


def test_figure_of_two_contestants(racing, leg_of, tmp_path):
    results = [
        leg_of("hpsearch", 0, [(100, 0, 0.8, None)]),
        leg_of("hpsearch", 1, [(150, 0, 0.7, None)]),
        leg_of("optuna", 0, []),
    ]

    racing.figure.draw(results, tmp_path / "race.svg")

    text = (tmp_path / "race.svg").read_text()
    assert text.startswith("<?xml")
    assert "hpsearch (2 seeds)" in text
    assert "optuna (1 seed)" in text
