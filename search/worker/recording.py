"""What is written of a trial, and when."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from optuna.trial import TrialState

from search.study import own
from search.training.vitals.thinning import thinned
from search.trial import Outcome, Reason
from search.worker import keepsakes

if TYPE_CHECKING:
    from search.study import Study
    from search.training.messages import EpochEnded, Failed, TrialEnded, TrialStarted
    from search.worker.claim import Claim


class Recording:
    """Writes one trial's story into the store; every method is one step of it."""

    def __init__(self, study: Study, claim: Claim) -> None:
        """Take up the story where the store has it."""
        self._study = study
        self._claim = claim
        self._trial_id = study.trial_id(claim.number)
        frozen = study.store.optuna.get_trial(self._trial_id)
        self._reported = set(frozen.intermediate_values)
        kept = own(frozen.system_attrs)
        self._curve: list[dict[str, Any]] = list(kept.get("curve", []))
        self._vitals: list[dict[str, float]] = list(kept.get("vitals", []))
        self._story = str(kept.get("story", ""))

    def resumed(self, started: TrialStarted) -> None:
        """Record the judgements that are in the checkpoint but not here.

        The trainer writes a checkpoint before it reports the judgement: a worker that is lost
        between the two leaves one that nobody would make, or report, again.
        """
        if self._claim.resume:
            keepsakes.note(self._study, self._claim.number, f"**Running** again, from epoch {started.epoch:.4g}.")
        last = self._curve[-1]["images"] if self._curve else 0
        for entry in started.curve:
            if entry["images"] > last:
                self._add(entry)

    def judged(self, ended: EpochEnded) -> None:
        """Record a judgement: its metrics on the curve, the objective's for pruner and dashboard.

        Images seen are Optuna's step. What is trained again after its worker was lost replaces
        what stood there.
        """
        self._add({"epoch": ended.epoch, "images": ended.images, **ended.metrics})
        self._add_vitals(ended.vitals)
        if ended.story != self._story:
            self._story = ended.story
            self._set("story", self._story)

    def _add(self, entry: dict[str, float]) -> None:
        images = int(entry["images"])
        self._curve = [*(one for one in self._curve if one["images"] < images), entry]
        self._set("curve", self._curve)
        if images not in self._reported:
            value = entry[self._study.space.objective.metric]
            self._study.store.optuna.set_trial_intermediate_value(self._trial_id, images, value)
            self._reported.add(images)

    def paused(self, ended: TrialEnded, why: str) -> None:
        """Record that the trial waits; it holds no worker from now on."""
        outcome = self._outcome(ended, None, why)
        self._set("outcome", asdict(outcome))
        if ended.best_value is not None:
            keepsakes.attach_if_best(self._study, self._claim.number, outcome, ended.best_value)
        keepsakes.note(self._study, self._claim.number, f"**Paused.** {outcome.why}")

    def handed_back(self, why: str) -> None:
        """Record that the trial waits as it did before this attempt."""
        before = own(self._study.store.optuna.get_trial(self._trial_id).system_attrs).get("outcome")
        outcome = Outcome(**before) if before else Outcome(reason=None, why="")
        self._set("outcome", asdict(replace(outcome, why=why)))
        keepsakes.note(self._study, self._claim.number, f"**Paused.** {why}")

    def ended(self, ended: TrialEnded, reason: Reason, why: str) -> None:
        """Record a trial that has ended with a value: its best judgement's."""
        outcome = self._outcome(ended, reason, why)
        self._set("outcome", asdict(outcome))
        self._show(outcome)
        state = TrialState.PRUNED if reason == "pruned" else TrialState.COMPLETE
        assert ended.best_value is not None  # only a paused trial may have none
        keepsakes.attach(self._study, self._claim.number, outcome, ended.best_value)
        self._study.store.optuna.set_trial_state_values(self._trial_id, state, [ended.best_value])
        keepsakes.clear(self._study)

    def failed(self, failure: Failed, reason: Reason, log: str) -> None:
        """Record a trial that has ended without a value, why, and the signs that showed it."""
        self._add_vitals(failure.vitals)
        outcome = Outcome(
            reason=reason,
            why=failure.message,
            epochs=self._curve[-1]["epoch"] if self._curve else 0,
            images=self._curve[-1]["images"] if self._curve else 0,
            seconds={**asdict(failure.seconds), "total": failure.seconds.total},
            log=log,
        )
        self._set("outcome", asdict(outcome))
        self._show(outcome)
        keepsakes.note(self._study, self._claim.number, f"**{reason}**: {failure.message}")
        self._study.optuna.tell(self._claim.number, state=TrialState.FAIL)

    def _outcome(self, ended: TrialEnded, reason: Reason | None, why: str) -> Outcome:
        files = self._study.store.files
        return Outcome(
            reason=reason,
            why=f"{why} {self._story}".strip(),
            epochs=ended.epochs,
            images=ended.images,
            best_epoch=ended.best_epoch,
            best_metrics=ended.best_metrics,
            parameters=ended.parameters,
            seconds={**asdict(ended.seconds), "total": ended.seconds.total},
            weights=files.relative(ended.weights or None),
            confusion=files.relative(ended.confusion or None),
        )

    def _add_vitals(self, signs: list[dict[str, float]]) -> None:
        if not signs:
            return
        # Steps that are trained again after a worker was lost replace what stood there.
        kept = [entry for entry in self._vitals if entry["step"] < signs[0]["step"]]
        self._vitals = thinned([*kept, *signs])
        self._set("vitals", self._vitals)

    def _set(self, key: str, value: Any) -> None:
        self._study.note(self._claim.number, key, value)

    def _show(self, outcome: Outcome) -> None:
        """What the dashboard lists with the trial."""
        shown = {
            "reason": outcome.reason,
            "epochs": outcome.epochs,
            "best_epoch": outcome.best_epoch,
            "parameters": outcome.parameters,
            "seconds": round(outcome.seconds.get("total", 0.0), 1),
        }
        for key, value in shown.items():
            self._study.store.optuna.set_trial_user_attr(self._trial_id, key, value)
