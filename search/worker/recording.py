"""What is written of a trial, and when."""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.exceptions import UpdateFinishedTrialError

from search.codec import own
from search.errors import StudyNotFoundError
from search.training.vitals.thinning import thinned
from search.trial import Outcome, value_of
from search.worker import keepsakes
from storage.optuna_rows import STATE_ATTRIBUTE

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import EpochEnded, Failed, Seconds, TrialEnded, TrialStarted
    from search.trial import Reason, State
    from search.worker.results import Result


_START_OVER = (
    "trial %d goes on from epoch %.4g, not from epoch %.4g: its checkpoint is damaged, or not in this folder "
    "(workers of one study need the same; HPSEARCH_FILES names it)"
)
_LOG_CHARACTERS = 8_000  # the end of a log says it; its lines may have any length

logger = logging.getLogger(__name__)


class Recording:
    """One trial's story. It is first kept here, and then written: the store may be away meanwhile."""

    def __init__(self, study: Study, number: int, token: str) -> None:
        """Take up the story where the store has it; it is written only while the trial is that token's."""
        self._study = study
        self._number = number
        self._token = token
        self._trial_id = study.trial_id(number)
        frozen = study.store.optuna.get_trial(self._trial_id)
        self._reported = dict(frozen.intermediate_values)
        kept = own(frozen.system_attrs)
        self._written = {
            "curve": kept.get("curve", []),
            "vitals": kept.get("vitals", []),
            "story": kept.get("story", ""),
            "seconds": kept.get("seconds", {}),
        }
        self.curve: list[dict[str, float]] = list(self._written["curve"])
        self.vitals: list[dict[str, float]] = list(self._written["vitals"])
        self.story = str(self._written["story"])
        self.seconds: dict[str, float] = dict(self._written["seconds"])
        self.deaths = int(kept.get("deaths", 0))
        """Attempts that ended with their trainer dead, or with a failure that another attempt may not have."""
        self._has_waited = "outcome" in kept
        self._note = ""
        """For the dashboard, not written yet."""

    def resumed(self, started: TrialStarted) -> None:
        """Keep the judgements that are in the checkpoint but not here.

        The trainer writes a checkpoint before it reports the judgement: a worker that is lost
        between the two leaves one that nobody would make, or report, again.
        """
        if self._has_waited:
            self._note = f"**Running** again, from epoch {started.epoch:.4g}."
        last = self.curve[-1]["images"] if self.curve else 0
        if last > (started.curve[-1]["images"] if started.curve else 0):
            logger.warning(_START_OVER, self._number, started.epoch, self.curve[-1]["epoch"])
        for entry in started.curve:
            if entry["images"] > last:
                self._add(entry)

    def judged(self, ended: EpochEnded) -> None:
        """Keep a judgement: its metrics on the curve, the signs of life before it.

        What is trained again after its worker was lost replaces what stood there.
        """
        self._add({"epoch": ended.epoch, "images": ended.images, **ended.metrics})
        self._add_vitals(ended.vitals)
        self.story = ended.story
        self.seconds = _with_total(ended.seconds)

    def restore(self, result: Result) -> None:
        """Take over the story that came with a result."""
        self.curve, self.vitals, self.story = list(result.curve), list(result.vitals), result.story

    def write(self) -> bool:
        """Write what is not in the store, as one piece; False, with nothing written, where the lease is lost.

        The curve and the value that follows from it stand together, whenever this process dies. Images seen are
        Optuna's step.

        Raises:
            StudyNotFoundError: if the study was deleted.
            UpdateFinishedTrialError: if the trial was ended from outside.
        """
        told = {"curve": self.curve, "vitals": self.vitals, "story": self.story, "seconds": self.seconds}
        changed = {key: value for key, value in told.items() if value != self._written[key]}
        metric = self._study.space.objective.metric
        steps = {int(entry["images"]): entry[metric] for entry in self.curve}
        steps = {images: value for images, value in steps.items() if self._reported.get(images) != value}
        if (changed or steps) and not self._study.record(self._token, changed, steps, self.value):
            self._check_is_there()
            return False
        self._written.update({key: copy(value) for key, value in changed.items()})
        self._reported.update(steps)
        if self._note:
            keepsakes.note(self._study, self._number, self._note)
            self._note = ""
        return True

    def _check_is_there(self) -> None:
        if not self._study.exists():
            raise StudyNotFoundError(f"study {self._study.name} was deleted")
        if self._study.trials()[self._number].has_ended:
            raise UpdateFinishedTrialError(f"trial {self._number} was ended elsewhere")

    @property
    def value(self) -> float | None:
        """The trial's value so far; None before its first evaluation."""
        return value_of(self.curve, self._study.space.objective.metric, maximize=self._study.maximizes)

    def paused(self, ended: TrialEnded, why: str) -> None:
        """Record that the trial waits; it holds no worker from now on."""
        outcome = self.ended(ended, None, why)
        self._study.note(self._number, "outcome", asdict(outcome))
        self.show(outcome, "paused")
        if self.value is not None:
            keepsakes.attach_if_best(self._study, self._number, outcome, self.value)
        keepsakes.note(self._study, self._number, f"**Paused.** {outcome.why}")

    def show(self, outcome: Outcome, state: State) -> None:
        """Set what the dashboard and Optuna's data frame list with the trial, as Optuna's user attributes."""
        shown = {
            STATE_ATTRIBUTE: state,
            "reason": outcome.reason,
            "epochs": outcome.epochs,
            "best_epoch": outcome.best_epoch,
            "parameters": outcome.parameters,
            "seconds": round(outcome.seconds.get("total", 0.0), 1),
        }
        for key, value in shown.items():
            if value:  # a trial that failed within its first epoch has no best one, and did not say its size
                self._study.store.optuna.set_trial_user_attr(self._trial_id, key, value)

    def moved(self, folder: Path) -> None:
        """Correct where the trial's best weights are: they are now in that folder, under their old names."""
        kept = own(self._study.store.optuna.get_trial(self._trial_id).system_attrs).get("outcome")
        if kept:
            files = self._study.store.files
            places = {
                key: files.relative(folder / name)
                for key in ("weights", "confusion")
                if kept[key] and (folder / (name := Path(kept[key]).name)).exists()
            }
            self._study.note(self._number, "outcome", {**kept, **places})

    def handed_back(self, why: str) -> None:
        """Record that the trial waits as it did before this attempt."""
        before = own(self._study.store.optuna.get_trial(self._trial_id).system_attrs).get("outcome")
        outcome = Outcome(**before) if before else Outcome(reason=None, why="")
        why = self._told(why)
        self._study.note(self._number, "outcome", asdict(replace(outcome, why=why)))
        keepsakes.note(self._study, self._number, f"**Paused.** {why}")

    def ended(self, ended: TrialEnded, reason: Reason | None, why: str) -> Outcome:
        """The outcome of a trial that has ended with a value, or pauses."""
        files = self._study.store.files
        return Outcome(
            reason=reason,
            why=self._told(why),
            epochs=ended.epochs,
            images=ended.images,
            best_epoch=ended.best_epoch,
            best_metrics=ended.best_metrics,
            parameters=ended.parameters,
            seconds=_with_total(ended.seconds),
            weights=files.relative(ended.weights or None),
            confusion=files.relative(ended.confusion or None),
        )

    def failed(self, failure: Failed, reason: Reason, log: str) -> Outcome:
        """The outcome of a trial that has ended without a value; the signs that showed why are kept."""
        self._add_vitals(failure.vitals)
        return Outcome(
            reason=reason,
            why=failure.message,
            epochs=self.curve[-1]["epoch"] if self.curve else 0,
            images=int(self.curve[-1]["images"]) if self.curve else 0,
            seconds=_with_total(failure.seconds),
            log=log[-_LOG_CHARACTERS:],
        )

    def _told(self, why: str) -> str:
        """A sentence on how the trial stands, and what its signs of life mean."""
        return f"{why} {self.story}".strip()

    def _add(self, entry: dict[str, float]) -> None:
        self.curve = [*(one for one in self.curve if one["images"] < entry["images"]), entry]

    def _add_vitals(self, signs: list[dict[str, float]]) -> None:
        if signs:
            # Steps that are trained again after a worker was lost replace what stood there.
            kept = [entry for entry in self.vitals if entry["step"] < signs[0]["step"]]
            self.vitals = thinned([*kept, *signs])


def _with_total(seconds: Seconds) -> dict[str, float]:
    return {**asdict(seconds), "total": seconds.total}
