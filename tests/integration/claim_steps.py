"""A study without any training: trials are taken, recorded, paused and lost by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from small_study import DATA
from worker_steps import conclude, judged

from search.study import Study, create
from search.training.messages import EpochEnded, Seconds, TrialEnded
from search.worker.claim import Claim, Holder, claim
from search.worker.recording import Recording
from spaces.reader import read_space_text

if TYPE_CHECKING:
    from storage.store import Store

SPACE = """\
study: claims
data: {source: mnist-5k}
search:
  learning_rate: {float: [1e-4, 1e-2], log: true}
  head_width: {int: [64, 512], step: 64}
fixed: {architecture: LeNet5}
budget: {epochs: 9, trials: 12}
pruner: {name: asha, min_images: 3600}
"""
EPOCH = DATA.n_train
ME = Holder(worker="me")


def begun(store: Store, text: str = SPACE, name: str = "claims") -> Study:
    return create(store, name, read_space_text(text), DATA, seed=0)


def train(study: Study, claimed: Claim, *values: float, pace: float = 0.0) -> None:
    """Record epochs as a worker does; those of earlier attempts stay. Rungs are after 1 and 3 of them.

    Only where the pace (seconds an epoch) is known are there bets.
    """
    done = len(study.trials()[claimed.number].curve)
    for epoch, value in enumerate(values, done + 1):
        judged(study, claimed, judgement(claimed, epoch * EPOCH, value, pace=pace))


def judgement(claimed: Claim, images: int, value: float, pace: float = 0.0, **more: float) -> EpochEnded:
    metrics = {"val_accuracy": value, "val_loss": 1 - value, **more}
    epoch = images / EPOCH
    return EpochEnded(
        trial=claimed.number, epoch=epoch, images=images, metrics=metrics, seconds=Seconds(train=pace * epoch)
    )


def ended(study: Study, claimed: Claim, ending: Literal["finished", "paused"] = "finished") -> TrialEnded:
    trial = study.trials()[claimed.number]
    best = max(trial.curve, key=lambda entry: entry["val_accuracy"])
    return TrialEnded(
        trial=claimed.number, ending=ending, images=trial.images, epochs=trial.epochs, best_epoch=best["epoch"],
        best_value=best["val_accuracy"], best_metrics={}, parameters=7, weights="", confusion="",
        seconds=Seconds(train=trial.seconds["train"]),
    )  # fmt: skip


def pause(study: Study, claimed: Claim, *values: float, pace: float = 0.0) -> None:
    """Let it wait after further epochs of these values, or where it stands."""
    train(study, claimed, *values, pace=pace)
    Recording(study, claimed.number, claimed.token).paused(ended(study, claimed, "paused"), "Waits.")
    trial = study.trials()[claimed.number]
    assert study.store.ledger.pause(claimed.token, trial.images, int(trial.epochs))


def finish(study: Study, claimed: Claim, *values: float) -> None:
    train(study, claimed, *values)
    assert conclude(study, claimed, ended(study, claimed), "finished", "Trained to the end.")


def lose(store: Store) -> None:
    """Let leases of 0.2 seconds run out, and be doubted; the next claim reaps them."""
    time.sleep(0.4)
    store.ledger.reap()
    time.sleep(0.2)


def taken(study: Study, holder: Holder = ME) -> Claim:
    found = claim(study, holder)
    assert isinstance(found, Claim), found
    return found
