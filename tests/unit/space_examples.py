"""Space files for tests: a small good one, the one of the contract, and random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from spaces.errors import SpaceError
from spaces.reader import read_space_text
from spaces.space import Space

CONTRACT = """\
study: head-shrink                    # default name of the study
data: {source: emnist-balanced, validation: 0.1, train_limit: null}   # validation is cut from the training part, stratified, seeded
image: {size: 32}                     # 28 → padded or resized in the model
objective: {metric: val_accuracy, direction: maximize}
search:
  architecture: {choice: [VGG16, MobileNet, EfficientNetB1, DenseNet121]}
  head_layers: {int: [1, 2]}
  head_width: {int: [512, 4096], step: 512}
  dropout: {float: [0.0, 0.6]}
  batch_size: {int: [256, 2048], step: 256}
  learning_rate: {float: [1e-5, 1e-2], log: true, default: {VGG16: 1e-4, else: 1e-3}}   # `default`: where a person would start; a value, or one by architecture
  patience: {int: [3, 50], log: true}
  blocks: {int: [3, 5], when: {architecture: [VGG16]}}     # only asked where the condition holds
fixed: {optimizer: adam}              # any parameter of the trainer may be searched or fixed
try_first:                            # run before anything is sampled
  - {name: "diary 3: two dense of 512", architecture: VGG16, head_layers: 2, head_width: 512, dropout: 0.0, batch_size: 1024, learning_rate: 1e-3, patience: 50, blocks: 5}
budget: {epochs: 50, trials: 60, time: 8h}
sampler: {name: tpe}                  # tpe | random | gp | grid; the defaults of each architecture are tried first
pruner: {name: asha}                  # asha (pause and promote) | hyperband | median | none
"""  # noqa: E501  as published

SMALL = """\
data: {source: mnist-5k}
search:
  architecture: {choice: [LeNet5, VGG16]}
  dropout: {float: [0.0, 0.5]}
"""


def contract() -> Space:
    return read_space_text(CONTRACT, "head_shrink.yaml")


def searching(*lines: str, rest: str = "") -> str:
    """A text whose section `search` begins with two architectures in line 3 and goes on with `lines`."""
    head = "data: {source: mnist-5k}\nsearch:\n  architecture: {choice: [LeNet5, VGG16]}\n"
    return head + "".join(f"  {line}\n" for line in lines) + rest


def said(text: str) -> list[str]:
    """What is wrong with a text, each as `LINE:COLUMN: PATH: MESSAGE`."""
    try:
        read_space_text(text, "s.yaml")
    except SpaceError as error:
        return [line.removeprefix("s.yaml:") for line in str(error).split("\n")]
    return []


@st.composite
def plain_spaces(draw: st.DrawFn) -> dict[str, Any]:
    """Random good spaces of every kind of parameter, some with chains of conditions."""
    architectures = draw(
        st.lists(
            st.sampled_from(["VGG16", "VGG19", "DenseNet121", "LeNet5", "ShortResNet"]),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    search: dict[str, Any] = {"architecture": {"choice": architectures}}
    free = {
        "learning_rate": _floats(1e-6, 1.0, log=True),
        "dropout": _floats(0.0, 0.9, log=False),
        "head_layers": _wholes(0, 3),
        "head_width": _wholes(16, 4096),
        "batch_size": _wholes(1, 512),
        "optimizer": _choices(["adam", "adamw", "sgd"]),
        "weight_decay": _choices([0.0, 1e-4, 1e-3]),
        "image_size": _choices([32, 48, 64]),
    }
    names = draw(st.lists(st.sampled_from(sorted(free)), unique=True))
    for name in names:
        search[name] = draw(free[name])
        parent = draw(st.sampled_from(list(search)))
        if parent != name and draw(st.booleans()) and (condition := _condition(draw, search[parent])):
            search[name]["when"] = {parent: condition}
    if {"VGG16", "VGG19"} & set(architectures) and draw(st.booleans()):
        search["blocks"] = {"int": [2, 5]}
    return {
        "study": draw(st.sampled_from(["a", "b-2", "ü.x_"])),
        "data": {"source": draw(st.sampled_from(["mnist-5k", "keras:cifar10", "folder:my images"]))},
        "search": search,
        "fixed": {} if "optimizer" in search else {"optimizer": "sgd"},
        "budget": {"epochs": draw(st.integers(1, 99)), "time": draw(st.sampled_from([None, "90s", "1.5h", "1h30m"]))},
        "pruner": {"name": draw(st.sampled_from(["asha", "hyperband", "median", "none"]))},
    }


@st.composite
def _floats(draw: st.DrawFn, low: float, high: float, *, log: bool) -> dict[str, Any]:
    ends = sorted(draw(st.tuples(st.floats(low, high), st.floats(low, high))))
    return {"float": ends, **({"log": True} if log else {})}


@st.composite
def _wholes(draw: st.DrawFn, low: int, high: int) -> dict[str, Any]:
    first = draw(st.integers(low, high))
    step = draw(st.integers(1, max(1, high - first)))
    last = first + step * draw(st.integers(0, (high - first) // step))
    return {"int": [first, last], **({"step": step} if last - first >= step else {})}


@st.composite
def _choices(draw: st.DrawFn, values: list[Any]) -> dict[str, Any]:
    return {"choice": draw(st.lists(st.sampled_from(values), min_size=1, unique=True))}


def _condition(draw: st.DrawFn, parent: dict[str, Any]) -> list[Any]:
    if "choice" in parent:
        return draw(st.lists(st.sampled_from(parent["choice"]), min_size=1, unique=True))
    if "int" in parent:
        low, high = parent["int"]
        step = parent.get("step", 1)
        return [low + step * draw(st.integers(0, (high - low) // step))]
    return []
