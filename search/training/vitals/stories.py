"""A diagnosis in words, for somebody who trains a network for the first time: what, since when, why, what to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from search.training.vitals.diagnosis import Condition, Diagnosis
from search.training.vitals.examination import AT_CHANCE, LARGE_UPDATE, NO_UPDATE, has_spread

_DEEP = 8
"""Layers with weights, from which on a signal without normalisation may fade on its way."""
_FALLEN = 0.01
"""A spread below this share of the first one is worth telling."""
_LET = "Let it go on."


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a story needs to know of the trial."""

    architecture: str
    n_layers: int
    """Layers with a kernel, from the images to the logits."""
    is_normalised: bool
    learning_rate: float
    """The one that the schedule begins with."""
    optimizer: str
    schedule: str = "constant"


@dataclass(frozen=True)
class _Case:
    since: int
    seen: Mapping[str, float]
    facts: Facts


def tell(diagnosis: Diagnosis, facts: Facts) -> str:
    """The story of a diagnosis: one to three sentences; empty for `starting`."""
    return _STORIES[diagnosis.condition](_Case(diagnosis.since_step, diagnosis.evidence, facts))


def is_noteworthy(diagnosis: Diagnosis) -> bool:
    """Whether there is more to say of it than that all goes well."""
    return diagnosis.condition not in ("starting", "learning", "recovering")


def _collapsed(case: _Case) -> str:
    return (
        f"Dead since step {case.since}: the network gives every image the same answer "
        f"({_proof(case.seen)}). Usual cause: {_cause(case.facts)}. {_cure(case.facts)}"
    )


def _proof(seen: Mapping[str, float]) -> str:
    gradient = f"the first layer's gradient went from {_short(seen['gradient_first_then'])} to "
    gradient += _short(seen["gradient_first"])
    if seen["spread"] > _FALLEN * seen["spread_then"]:
        # Dropout makes answers differ that the images do not.
        return gradient
    spread = f"spread between images fell from {_short(seen['spread_then'])} to {_short(seen['spread'])}"
    return f"{spread}, {gradient}"


def _cause(facts: Facts) -> str:
    rate = f"learning rate {_short(facts.learning_rate)}"
    if facts.is_normalised:
        return f"steps too large ({rate} with {facts.optimizer}): they pushed every unit to where it gives nothing"
    if facts.n_layers >= _DEEP:
        return f"{facts.n_layers} layers without normalisation at {rate}"
    return f"steps too large ({rate} with {facts.optimizer}), which push the units to where they no longer react"


def _cure(facts: Facts) -> str:
    rate = f"Try {_short(facts.learning_rate / 10)}"
    if facts.is_normalised or facts.n_layers < _DEEP:
        return f"{rate}."
    fewer = ", fewer blocks" if facts.architecture in ("VGG16", "VGG19") else ", fewer layers"
    return f"{rate}{fewer}, or BatchNorm."


def _diverged(case: _Case) -> str:
    before = f" (the loss was {_short(case.seen['loss'])} before)" if case.since > 1 else ""
    rate = case.facts.learning_rate
    return (
        f"Diverged at step {case.since}: loss or gradients are no longer finite numbers{before}. Usual cause: "
        f"learning rate {_short(rate)} with {case.facts.optimizer} is too large. Try {_short(rate / 10)}."
    )


def _never_started(case: _Case) -> str:
    seen = case.seen
    return (
        f"Not started after {seen['steps']:.0f} steps: the answers hardly differ from image to image (spread "
        f"{_short(seen['spread_then'])} at the start, {_short(seen['spread'])} now), and the loss is still that of "
        f"guessing, {seen['chance']:.2f}. Usual cause: the signal fades in {case.facts.n_layers} layers"
        f"{'' if case.facts.is_normalised else ' without normalisation'}, and {case.facts.optimizer} at learning rate "
        f"{_short(case.facts.learning_rate)} does not bring it back. Try {_other_start(case.facts)}."
    )


def _other_start(facts: Facts) -> str:
    better = "adam at 1e-4" if facts.optimizer == "sgd" else f"learning rate {_short(facts.learning_rate * 3)}"
    return better if facts.is_normalised else f"{better}, fewer layers, or BatchNorm"


def _slow_starter(case: _Case) -> str:
    seen = case.seen
    spread = f"spread {_short(seen['spread_then'])} at the start, {_short(seen['spread'])} now"
    loss = f"the loss is still that of guessing ({seen['loss']:.2f}; guessing gives {seen['chance']:.2f})"
    if has_spread(seen["spread"], seen["spread_then"]):
        return f"Slow, but alive: {loss}, yet the answers have begun to differ from image to image ({spread}). {_LET}"
    gradient = f"{_short(seen['gradient_first_then'])} at the start, {_short(seen['gradient_first'])} now"
    return (
        f"Slow, but not dead: {loss}, and after {seen['steps']:.0f} steps it is too early to say more (gradient of the "
        f"first layer {gradient}; {spread}). {_LET}"
    )


def _shaken(case: _Case) -> str:
    seen = case.seen
    return (
        f"Shaken since step {case.since}: the answers of different images fell together (spread from "
        f"{_short(seen['spread_then'])} to {_short(seen['spread'])}), but something still moves. It may come back; "
        f"a learning rate below {_short(case.facts.learning_rate)} is safer."
    )


def _recovering(case: _Case) -> str:
    seen = case.seen
    return (
        f"Recovering since step {case.since}: the answers differ again (spread {_short(seen['spread_lowest'])} "
        f"at worst, {_short(seen['spread'])} now). {_LET}"
    )


def _learning(case: _Case) -> str:
    seen = case.seen
    return f"Learning since step {case.since}: the loss is {seen['loss']:.2f}; guessing gives {seen['chance']:.2f}."


def _averages_lagging(case: _Case) -> str:
    seen = case.seen
    return (
        f"It learns, but validation does not show it: accuracy {seen['accuracy']:.2f} in training, "
        f"{seen['val_accuracy']:.2f} in validation, and guessing gives {seen['chance']:.2f}. Usual cause: BatchNorm's "
        f"averages are behind the weights. Try `batch_norm: honest`, or smaller batches."
    )


def _overfitting(case: _Case) -> str:
    seen = case.seen
    return (
        f"Overfitting since epoch {case.since}: the validation loss rose from {seen['val_loss_best']:.2f} to "
        f"{seen['val_loss']:.2f}, while the training loss fell from {seen['loss_then']:.2f} to {seen['loss']:.2f}. "
        f"Try dropout, `augment: shift_rotate`, or more images."
    )


def _plateau(case: _Case) -> str:
    seen = case.seen
    return (
        f"No better since epoch {case.since}: for {seen['epochs']:.0f} epochs neither training loss "
        f"({seen['loss']:.2f}) nor validation loss ({seen['val_loss']:.2f}) has fallen. {_next(case.facts)}"
    )


def _next(facts: Facts) -> str:
    if facts.schedule == "constant":
        return "Try a smaller learning rate towards the end (`schedule: cosine` or `plateau`)."
    return "Its learning rate falls already: try another network, or more images."


def _rate_high(case: _Case) -> str:
    seen = case.seen
    guessing = f"guessing gives {seen['chance']:.2f}"
    proof = f"the loss went from {_short(seen['loss_then'])} to {_short(seen['loss'])}, and {guessing}"
    if seen["update_ratio"] > LARGE_UPDATE:
        ratio = f"each changes the first layer by {seen['update_ratio']:.1%} (about 0.1 % is usual)"
        proof = f"{ratio}, and the loss is {_short(seen['loss'])}; {guessing}"
    return (
        f"Steps too large since step {case.since}: {proof}. Try learning rate {_short(case.facts.learning_rate / 10)}."
    )


def _rate_low(case: _Case) -> str:
    seen = case.seen
    rate = case.facts.learning_rate
    advice = f"Try learning rate {_short(rate * 10)}."
    if case.facts.schedule != "constant":
        advice = f"The rate is too small, or its schedule ({case.facts.schedule}) has lowered it. {advice}"
    if seen["loss"] < AT_CHANCE * seen["chance"]:
        advice = f"It learns, slowly. {advice}"
    if seen["update_ratio"] < NO_UPDATE:
        advice = f"Numbers of 32 bits do not change by so little. Try learning rates far above {_short(rate)}."
    return (
        f"Steps very small: each changes the first layer by {seen['update_ratio']:.1g} of its size (about 0.001 is "
        f"usual), and after {seen['steps']:.0f} steps the loss is {seen['loss']:.2f}; guessing gives "
        f"{seen['chance']:.2f}. {advice}"
    )


def _short(value: float) -> str:
    """Two digits at most, as people write them: 0.05, 3e-05 as 3e-5."""
    text = f"{value:.2g}"
    return text.replace("e-0", "e-").replace("e+0", "e")


_STORIES: dict[Condition, Callable[[_Case], str]] = {
    "starting": lambda _: "",
    "collapsed": _collapsed,
    "diverged": _diverged,
    "never_started": _never_started,
    "slow_starter": _slow_starter,
    "shaken": _shaken,
    "recovering": _recovering,
    "learning": _learning,
    "averages_lagging": _averages_lagging,
    "overfitting": _overfitting,
    "plateau": _plateau,
    "learning_rate_high": _rate_high,
    "learning_rate_low": _rate_low,
}
