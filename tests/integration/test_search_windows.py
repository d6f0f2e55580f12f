"""Every window on a study shows the same best trial: ours, Optuna's own readers and plots, and the dashboard."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from claim_steps import EPOCH, ME, SPACE, begun, finish, judgement, pause, taken, train
from doors_visits import TOKEN, visit
from worker_steps import conclude, judged

from search.dashboard.app import application
from search.dashboard.gate import Door
from search.errors import TrialNotFoundError
from search.model import export
from search.studies import PassedOver
from search.training.messages import Failed, Seconds
from search.view.status import best_to_dict, views
from search.worker.claim import Claim
from search.worker.closing import end_if_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from search.study import Study
    from storage.store import Store

PLOTS = (
    "plot_optimization_history", "plot_param_importances", "plot_slice", "plot_contour", "plot_parallel_coordinate",
    "plot_rank", "plot_edf", "plot_timeline", "plot_intermediate_values",
)  # fmt: skip


@pytest.fixture
def study(store: Store) -> Study:
    """Three trials that wait, one that has finished, one that failed, and one that is trained."""
    study = begun(store)
    claims = [taken(study) for _ in range(6)]
    for claimed, value in zip(claims, (0.4, 0.7, 0.6), strict=False):
        pause(study, claimed, value)
    finish(study, claims[3], 0.5)
    conclude(study, claims[4], Failed(reason="diverged", message="The loss is no number."), "diverged")
    train(study, claims[5], 0.3)
    return study


def resumed(study: Study, number: int, *values: float) -> None:
    """Let a trial that waits go on for some epochs, and wait again."""
    holding = study.store.ledger.resume(study.name, number, "me", 60.0)
    assert holding is not None
    assert holding.token is not None
    pause(study, replace(claim_of(study, number), token=holding.token), *values)


def claim_of(study: Study, number: int) -> Claim:
    """A claim of a trial that waits, without its token."""
    params = study.trials()[number].params
    return Claim(
        number=number, token="", worker="me", attempt=1, params=params, hyperparameters={}, seed=1, name=None,
        resume=True,
    )  # fmt: skip


def plain(study: Study) -> Iterator[optuna.Study]:
    """The study as a notebook opens it, that knows nothing of hpsearch."""
    address = study.store.url.full.replace("postgresql:", "postgresql+psycopg:")
    storage = optuna.storages.RDBStorage(address)
    try:
        yield optuna.load_study(study_name=study.name, storage=storage)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def dashboard(study: Study) -> Any:
    """The dashboard's application; it stays as it is while the study goes on."""
    return application(study.store, Door(token=TOKEN))


def without_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let optuna-dashboard read at every request: it keeps what it has read for two seconds and more."""
    monkeypatch.setattr("optuna_dashboard._storage.timedelta", lambda **_: timedelta(0))


def shown_by(app: Any, study: Study) -> dict[str, Any]:
    """What the dashboard's pages read of a study."""
    app_state = json.loads(visit(app, f"/api/studies/{study.id}").body)
    assert isinstance(app_state, dict)
    return app_state


def check_windows(study: Study) -> None:
    ours, best = study.trials(), best_to_dict(study)
    for seen in plain(study):
        assert (seen.best_trial.number, seen.best_value) == (best["trial"], best["value"])
        assert seen.best_params == best["params"]
        counted = {trial.number: trial.value for trial in ours if trial.is_scored}
        complete = {trial.number: trial.value for trial in seen.trials if trial.state.name == "COMPLETE"}
        assert complete == counted
        frame = seen.trials_dataframe()
        assert frame[frame["state"] == "COMPLETE"]["value_val_accuracy"].max() == best["value"]
        states = [trial.user_attrs.get("state") for trial in seen.trials]
        assert states == [trial.state if state_is_shown(trial) else None for trial in ours]


def state_is_shown(trial: Any) -> bool:
    """All but trials in their first attempt, and those that no worker has had."""
    return trial.has_ended or trial.state == "paused"


def test_best_trial_is_the_same_in_every_window(study: Study) -> None:
    assert best_to_dict(study)["trial"] == 1
    check_windows(study)

    resumed(study, 0, 0.8)
    assert best_to_dict(study)["trial"] == 0
    check_windows(study)

    study.set_control(replace(study.control(), ending="stopping"))
    store = study.store
    for holding in store.ledger.holdings(study.name, states=("running",)):
        assert holding.token is not None
        store.ledger.release(holding.token, 1)
    assert end_if_over(study)
    assert [trial.state for trial in study.trials()][:6] == [
        "pruned",
        "pruned",
        "pruned",
        "complete",
        "failed",
        "pruned",
    ]
    check_windows(study)


def test_value_on_a_part_of_the_images_is_the_same_in_every_window(store: Store) -> None:
    study = begun(store, SPACE.replace("min_images: 3600", "min_images: 1000"))
    lucky, other = taken(study), taken(study)
    judged(study, lucky, judgement(lucky, 1280, 0.91, val_images=100))
    pause(study, lucky)
    pause(study, other, 0.9)

    assert best_to_dict(study)["value"] == 0.9
    check_windows(study)


def test_all_of_optunas_plots_can_be_drawn(study: Study) -> None:
    import matplotlib.pyplot as plt
    from optuna.visualization import matplotlib as plots

    for seen in plain(study):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Optuna's, on what is experimental; and of small samples
            for name in PLOTS:
                assert getattr(plots, name)(seen) is not None
                plt.close("all")
            importance = optuna.importance.get_param_importances(seen)
    assert set(importance) == {"learning_rate", "head_width"}


def test_dashboard_that_stays_open_follows_the_search(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    without_cache(monkeypatch)
    app = dashboard(study)
    for values in ((), (0.8,), (0.85, 0.1)):
        if values:
            resumed(study, 0, *values)
        [best] = shown_by(app, study)["best_trials"]
        expected = best_to_dict(study)
        assert (best["number"], best["values"][0]) == (expected["trial"], expected["value"])
    trials = shown_by(app, study)["trials"]
    assert [trial["state"] for trial in trials][:5] == ["Complete", "Complete", "Complete", "Complete", "Fail"]
    points = {point["step"]: point["value"] for point in trials[0]["intermediate_values"]}
    assert points == {EPOCH: 0.4, 2 * EPOCH: 0.8, 3 * EPOCH: 0.85, 4 * EPOCH: 0.1}


def test_best_trial_that_is_trained_on_stays_the_best(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    without_cache(monkeypatch)
    app = dashboard(study)
    trial = study.trials()[1]
    holding = study.store.ledger.resume(study.name, 1, "me", 60.0)
    assert holding is not None
    assert holding.token is not None
    for value in (0.7, 0.9):
        best = best_to_dict(study)
        assert (best["trial"], best["state"], best["value"]) == (1, "running", value)
        [shown] = shown_by(app, study)["best_trials"]
        assert (shown["number"], shown["values"], shown["state"]) == (1, [value], "Running")
        [view] = views(study.store, study.name, passed_over=PassedOver(pytest.fail))
        assert view.to_dict()["best"] == {"trial": 1, "value": value, "params": trial.params}
        claimed = replace(claim_of(study, 1), token=holding.token)
        judged(study, claimed, judgement(claimed, 2 * EPOCH, 0.9))

    for seen in plain(study):  # Optuna itself looks at trials that no worker holds
        assert seen.best_trial.number == 2


def test_export_takes_the_best_whose_weights_stay_as_they_are(study: Study, tmp_path: Path) -> None:
    assert study.store.ledger.resume(study.name, 1, "me", 60.0) is not None
    said: list[str] = []

    with pytest.raises(TrialNotFoundError, match="has no weights"):  # nothing was trained here
        export(study, None, tmp_path / "model", said.append)

    assert said == [
        "trial 1 is better (0.7000), but is being trained, and its weights change: exporting trial 2 (0.6000)"
    ]


def test_trial_that_failed_after_a_pause_has_no_value_anywhere(store: Store) -> None:
    study = begun(store)
    fails, other = taken(study), taken(study)
    pause(study, fails, 0.9)
    pause(study, other, 0.4)
    holding = store.ledger.resume(study.name, 0, ME.worker, 60.0)
    assert holding is not None
    assert holding.token is not None
    claimed = replace(claim_of(study, 0), token=holding.token)
    failure = Failed(reason="diverged", message="The loss is no number.", seconds=Seconds())

    assert conclude(study, claimed, failure, "diverged")

    assert best_to_dict(study)["trial"] == 1
    check_windows(study)
    for seen in plain(study):
        optuna.create_study().add_trials(seen.trials)  # Optuna refuses a failed trial with a value
