"""What a space file says besides parameters: data, image, objective, budget, sampler, pruner, checkpoint."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from spaces import fields
from spaces.catalogue import RULES, SOURCE_PREFIXES, SOURCES
from spaces.durations import seconds_of
from spaces.errors import suggest
from spaces.nodes import Node, Problems
from spaces.space import Budget, DataPart, Objective, Pruner, Sampler

SAMPLERS = ("tpe", "random", "gp", "grid")
PRUNER_OPTIONS: dict[str, tuple[str, ...]] = {
    "asha": ("min_images", "reduction_factor"),
    "hyperband": ("min_epochs", "reduction_factor"),
    "median": ("startup_trials", "warmup_epochs"),
    "none": (),
}

AT_EPOCHS = "1 epoch"
"""The value of `checkpoint` that asks for none within an epoch."""

METRICS = ("val_accuracy", "val_loss", "accuracy", "loss")
"""What each judgement of a trial measures."""

_DATASET = re.compile(r"[a-z]\w{0,99}", re.ASCII)
_MAX_COUNT = 10**9


def read_data(node: Node, problems: Problems) -> DataPart | None:
    """The section `data`; None where it cannot be used."""
    found = fields.entries(node, ("source", "validation", "train_limit", "seed"), problems)
    options: dict[str, Any] = {}
    if "validation" in found:
        options["validation"] = fields.share(found["validation"], problems)
    if "train_limit" in found and found["train_limit"].value is not None:
        options["train_limit"] = fields.whole(found["train_limit"], problems, 1, _MAX_COUNT)
    if "seed" in found:
        options["seed"] = fields.whole(found["seed"], problems, 0, 2**31 - 1)
    if "source" not in found:
        if isinstance(node.value, dict):
            fields.missing(node, "source", f"is missing; allowed: {_sources()}", problems)
        return None
    source = _source(found["source"], problems)
    return None if source is None or None in options.values() else DataPart(source=source, **options)


def read_objective(node: Node, problems: Problems) -> Objective:
    """The section `objective`; a loss is minimized unless the file says otherwise."""
    found = fields.entries(node, ("metric", "direction"), problems)
    metric = Objective.metric
    if "metric" in found:
        metric = fields.one_of(found["metric"], METRICS, problems) or metric
    direction: str | None = "minimize" if metric.endswith("loss") else "maximize"
    if "direction" in found:
        direction = fields.one_of(found["direction"], ("maximize", "minimize"), problems)
    return Objective(metric=metric, direction=cast('Literal["maximize", "minimize"]', direction or "maximize"))


def read_image_size(node: Node, problems: Problems) -> int | None:
    """`image.size`; None where it is not given, or wrong."""
    found = fields.entries(node, ("size",), problems)
    if "size" not in found:
        return None
    rule = RULES["image_size"]
    return fields.whole(found["size"], problems, int(rule.low), int(rule.high))


def read_budget(node: Node, problems: Problems, epochs: int) -> Budget:
    """The section `budget`; `epochs` is taken where it gives none."""
    found = fields.entries(node, ("epochs", "trials", "time"), problems)
    trials = time = None
    if "epochs" in found:
        epochs = fields.whole(found["epochs"], problems, 1, int(RULES["epochs"].high)) or epochs
    if "trials" in found and found["trials"].value is not None:
        trials = fields.whole(found["trials"], problems, 1, _MAX_COUNT)
    if "time" in found and found["time"].value is not None:
        time = fields.duration(found["time"], problems)
    return Budget(epochs=epochs, trials=trials, time=time)


def read_sampler(node: Node, problems: Problems) -> Sampler:
    """The section `sampler`."""
    found = fields.entries(node, ("name",), problems)
    name = fields.one_of(found["name"], SAMPLERS, problems) if "name" in found else None
    return Sampler(name=cast("Any", name or Sampler.name))


def read_pruner(node: Node, problems: Problems, epochs: int) -> Pruner:
    """The section `pruner`; each name has its own options."""
    every = sorted({option for options in PRUNER_OPTIONS.values() for option in options})
    found = fields.entries(node, ("name", *every), problems)
    name = Pruner.name
    if "name" in found:
        name = cast("Any", fields.one_of(found.pop("name"), tuple(PRUNER_OPTIONS), problems) or name)
    limits = {
        "min_images": (1, _MAX_COUNT), "min_epochs": (1, epochs), "reduction_factor": (2, 100),
        "startup_trials": (0, _MAX_COUNT), "warmup_epochs": (0, epochs),
    }  # fmt: skip
    options: dict[str, Any] = {}
    for option, child in found.items():
        if option not in PRUNER_OPTIONS[name]:
            allowed = ", ".join(PRUNER_OPTIONS[name]) or "none"
            problems.add(child, f"is no option of the pruner {name}; its options: {allowed}", at_key=True)
        elif (value := fields.whole(child, problems, *limits[option])) is not None:
            options[option] = value
    return Pruner(name=name, **options)


def read_checkpoint(node: Node | None, problems: Problems) -> float | None:
    """The key `checkpoint`: seconds between two at most; None for one an epoch."""
    if node is None or node.value == AT_EPOCHS:
        return None
    seconds = seconds_of(node.value) if isinstance(node.value, str) else None
    if seconds is None:
        problems.add(node, f"must be {AT_EPOCHS!r}, or a duration such as 30s or 5m, but got {fields.got(node)}")
    return seconds


def _source(node: Node, problems: Problems) -> str | None:
    value = node.value
    if isinstance(value, str) and value.isprintable() and (value in SOURCES or _has_prefix(value)):
        return value
    near = suggest(value, SOURCES) if isinstance(value, str) else None
    problems.add(node, f"must be a data source, but got {fields.got(node)}", near, names=f"allowed: {_sources()}")
    return None


def _has_prefix(value: str) -> bool:
    prefix = next((prefix for prefix in SOURCE_PREFIXES if value.startswith(prefix)), None)
    if prefix is None:
        return False
    rest = value.removeprefix(prefix)
    return bool(_DATASET.fullmatch(rest)) if prefix == "keras:" else bool(rest.strip())


def _sources() -> str:
    return ", ".join((*SOURCES, "idx:FOLDER", "folder:PATH", "npz:FILE", "keras:NAME"))
