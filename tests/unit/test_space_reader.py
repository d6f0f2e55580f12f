# ruff: noqa: E501  a row is a line of a file and the whole message
from __future__ import annotations

from pathlib import Path

import pytest
from space_examples import SMALL, contract, said, searching

from spaces.errors import Problem, SpaceError
from spaces.nodes import MAX_PROBLEMS
from spaces.reader import read_space, read_space_text
from spaces.space import Budget, Condition, DataPart, Objective, Parameter, Point, Pruner, Sampler

KEYS = "study, data, image, objective, search, fixed, try_first, budget, sampler, pruner, checkpoint, builders"
SOURCES = (
    "mnist-5k, emnist-balanced, emnist-byclass, emnist-bymerge, emnist-letters, emnist-digits, emnist-mnist, "
    "idx:FOLDER, folder:PATH, npz:FILE, keras:NAME"
)
TRAINER = (
    "architecture, blocks, stages, blocks_per_stage, image_size, head_pool, head_layers, head_width, dropout, dropout_at, "
    "batch_size, learning_rate, schedule, optimizer, momentum, weight_decay, label_smoothing, augment, patience, epochs, "
    "batch_norm, weight_average"
)
FORMS = "{choice: [...]}, {int: [lowest, highest]} or {float: [lowest, highest]}"
NETWORKS = "must be a name in keras.applications, LeNet5, ShortResNet, or your own module:function"


def test_contract_example_is_read_exactly():
    space = contract()

    assert space.study == "head-shrink"
    assert space.data == DataPart(source="emnist-balanced", validation=0.1, train_limit=None, seed=0)
    assert space.image_size == 32
    assert space.objective == Objective(metric="val_accuracy", direction="maximize")
    vgg16 = Condition(name="architecture", values=("VGG16",))
    assert space.search == (
        Parameter(
            name="architecture", kind="choice", choices=("VGG16", "MobileNet", "EfficientNetB1", "DenseNet121")
        ),
        Parameter(name="head_layers", kind="int", low=1, high=2),
        Parameter(name="head_width", kind="int", low=512, high=4096, step=512),
        Parameter(name="dropout", kind="float", low=0.0, high=0.6),
        Parameter(name="batch_size", kind="int", low=256, high=2048, step=256),
        Parameter(
            name="learning_rate", kind="float", low=1e-5, high=1e-2, log=True, default={"VGG16": 1e-4, "else": 1e-3}
        ),
        Parameter(name="patience", kind="int", low=3, high=50, log=True),
        Parameter(name="blocks", kind="int", low=3, high=5, when=(vgg16,)),
    )  # fmt: skip
    assert space.fixed == {"optimizer": "adam"}
    assert space.try_first == (
        Point(
            name="diary 3: two dense of 512",
            values={
                "architecture": "VGG16", "head_layers": 2, "head_width": 512, "dropout": 0.0, "batch_size": 1024,
                "learning_rate": 1e-3, "patience": 50, "blocks": 5,
            },
        ),
    )  # fmt: skip
    assert space.budget == Budget(epochs=50, trials=60, time=8 * 3600.0)
    assert space.sampler == Sampler(name="tpe")
    assert space.pruner == Pruner(name="asha", min_images=1500, reduction_factor=3)
    assert space.builders is None


def test_sections_left_out_take_defaults():
    space = read_space_text(SMALL, "my-file.yaml")

    assert space.study == "my-file"
    assert space.data == DataPart(source="mnist-5k", validation=0.1, train_limit=None, seed=0)
    assert space.image_size == 32
    assert space.objective == Objective(metric="val_accuracy", direction="maximize")
    assert space.budget == Budget(epochs=50, trials=None, time=None)
    assert space.sampler == Sampler(name="tpe")
    assert space.pruner == Pruner(name="asha", min_images=1500, reduction_factor=3)


def test_space_cannot_be_changed():
    space = contract()

    with pytest.raises(AttributeError):
        space.study = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        space.fixed["optimizer"] = "sgd"  # type: ignore[index]
    with pytest.raises(TypeError):
        space.try_first[0].values["dropout"] = 0.5  # type: ignore[index]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("serach: {}", f"5:1: serach: there is no key 'serach' here; did you mean search? Allowed: {KEYS}"),
        ("tpye: {}", f"5:1: tpye: there is no key 'tpye' here; allowed: {KEYS}"),
        ("study: a b", "5:8: study: must be a name of at most 100 letters, digits, `-`, `_` and `.`, with a letter or digit first; but got 'a b'"),
        ("study: ..", "5:8: study: must be a name of at most 100 letters, digits, `-`, `_` and `.`, with a letter or digit first; but got '..'"),
        ("image: {size: 4}", "5:15: image.size: must be a whole number from 8 to 1024, but got 4"),
        ("image: 32", "5:8: image: must have keys (size), but got 32"),
        ("objective: {metric: 3}", "5:21: objective.metric: must be one of: val_accuracy, val_loss, accuracy, loss; but got 3"),
        ("objective: {metric: val_f1}", "5:21: objective.metric: must be one of: val_accuracy, val_loss, accuracy, loss; but got 'val_f1'"),
        (
            "objective: {direction: maximise}",
            "5:24: objective.direction: must be one of: maximize, minimize; but got 'maximise'; did you mean maximize?",
        ),
        ("fixed: {optimizer: adma}", "5:20: fixed.optimizer: must be one of: adam, adamw, sgd, but got 'adma'; did you mean adam?"),
        ("fixed: {momentum: on}", "5:19: fixed.momentum: must be a number in [0, 1), but got 'on'"),
        ("fixed: {momentum: true}", "5:19: fixed.momentum: must be a number in [0, 1), but got True"),
        ("fixed: {momentum: .nan}", "5:19: fixed.momentum: must be a number in [0, 1), but got nan"),
        ("fixed: {learning_rate: .inf}", "5:24: fixed.learning_rate: must be a number in (0, 100], but got inf"),
        ("fixed: {patience: '3'}", "5:19: fixed.patience: must be a whole number from 1 to 100000, but got '3'"),
        ("fixed: {patience: 3.0}", "5:19: fixed.patience: must be a whole number from 1 to 100000, but got 3.0"),
        ("fixed: {patience: [3]}", "5:19: fixed.patience: must be a whole number from 1 to 100000, but got [3]"),
        ("fixed: {dropout: 0.1}", "5:9: fixed.dropout: is searched as well: leave it out of `fixed` or of `search`"),
        ("fixed: {stages: 3}", "5:9: fixed.stages: stages is used by ShortResNet only, and this space has none of these"),
        ("fixed: [a]", "5:8: fixed: must have keys (the trainer's parameters), but got ['a']"),
        ("fixed: {patiense: 3}", f"5:9: fixed.patiense: the trainer has no parameter 'patiense'; did you mean patience? It has: {TRAINER}"),
        ("budget: {epochs: 0}", "5:18: budget.epochs: must be a whole number from 1 to 100000, but got 0"),
        ("budget: {epochs: null}", "5:18: budget.epochs: must be a whole number from 1 to 100000, but got nothing"),
        ("budget: {trials: -1}", "5:18: budget.trials: must be a whole number from 1 to 1000000000, but got -1"),
        ("budget: {time: 8}", "5:16: budget.time: must be a duration from 1s to ten years, such as 90s, 30m or 8h, but got 8"),
        ("budget: {time: 0s}", "5:16: budget.time: must be a duration from 1s to ten years, such as 90s, 30m or 8h, but got '0s'"),
        ("budget: {time: 8 hours}", "5:16: budget.time: must be a duration from 1s to ten years, such as 90s, 30m or 8h, but got '8 hours'"),
        ("budget:", "5:1: budget: must have keys (epochs, trials, time), but got nothing"),
        ("sampler: {name: cmaes}", "5:17: sampler.name: must be one of: tpe, random, gp, grid; but got 'cmaes'"),
        ("sampler: {name: tep}", "5:17: sampler.name: must be one of: tpe, random, gp, grid; but got 'tep'; did you mean tpe?"),
        ("sampler: {name: grid}", "4:3: search.dropout: is continuous, but the sampler grid needs single values: write it as {choice: [...]}"),
        ("pruner: {name: median, min_epochs: 3}", "5:24: pruner.min_epochs: is no option of the pruner median; its options: startup_trials, warmup_epochs"),
        ("pruner: {name: none, min_epochs: 3}", "5:22: pruner.min_epochs: is no option of the pruner none; its options: none"),
        ("pruner: {name: hyperband, min_epochs: 51}", "5:39: pruner.min_epochs: must be a whole number from 1 to 50, but got 51"),
        ("pruner: {name: asha, min_epochs: 1}", "5:22: pruner.min_epochs: is no option of the pruner asha; its options: min_images, reduction_factor"),
        ("checkpoint: 2 epochs", "5:13: checkpoint: must be '1 epoch', or a duration such as 30s or 5m, but got '2 epochs'"),
        ("checkpoint: 30", "5:13: checkpoint: must be '1 epoch', or a duration such as 30s or 5m, but got 30"),
        ("pruner: {min_images: 0}", "5:22: pruner.min_images: must be a whole number from 1 to 1000000000, but got 0"),
        ("pruner: {reduction_factor: 1}", "5:28: pruner.reduction_factor: must be a whole number from 2 to 100, but got 1"),
        ("try_first: {dropout: 0}", "5:12: try_first: must be a list of points such as [{dropout: 0.1}], but got {'dropout': 0}"),
    ],
)  # fmt: skip
def test_wrong_section_is_told_with_place_and_cure(line: str, message: str):
    assert said(SMALL + line) == [message]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{}", f"1:1: data.source: is missing; allowed: {SOURCES}"),
        ("{sorce: x}", "1:8: data.sorce: there is no key 'sorce' here; did you mean source? Allowed: source, validation, train_limit, seed"),
        ("{source: mnist5k}", f"1:16: data.source: must be a data source, but got 'mnist5k'; did you mean mnist-5k? Allowed: {SOURCES}"),
        ("{source: 'idx:'}", f"1:16: data.source: must be a data source, but got 'idx:'; allowed: {SOURCES}"),
        ("{source: 'keras:../x'}", f"1:16: data.source: must be a data source, but got 'keras:../x'; allowed: {SOURCES}"),
        ("{source: mnist-5k, validation: 1}", "1:38: data.validation: must be a number between 0 and 1, but got 1"),
        ("{source: mnist-5k, validation: 0}", "1:38: data.validation: must be a number between 0 and 1, but got 0"),
        ("{source: mnist-5k, train_limit: 0}", "1:39: data.train_limit: must be a whole number from 1 to 1000000000, but got 0"),
        ("{source: mnist-5k, seed: -1}", "1:32: data.seed: must be a whole number from 0 to 2147483647, but got -1"),
        ("mnist-5k", "1:7: data: must have keys (source, validation, train_limit, seed), but got 'mnist-5k'"),
    ],
)  # fmt: skip
def test_wrong_data_is_told_with_what_is_allowed(line: str, message: str):
    wrong = said(SMALL.replace("{source: mnist-5k}", line))

    assert message in wrong
    assert all(": data" in problem for problem in wrong)


@pytest.mark.parametrize(
    "source",
    [
        "mnist-5k",
        "emnist-byclass",
        "idx:../shared files",
        "folder:/a b/c",
        "npz:x.npz",
        "keras:fashion_mnist",
        "keras:cifar10",
    ],
)
def test_each_data_source_is_allowed(source: str):
    space = read_space_text(SMALL.replace("mnist-5k", f"'{source}'"))

    assert space.data.source == source


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("patience: 12", f"4:13: search.patience: must be {FORMS}, but got 12; a single value belongs under `fixed`"),
        ("patience: {}", f"4:13: search.patience: must be one of {FORMS}, but has none of the three"),
        ("patience: {int: [1, 2], choice: [1]}", f"4:13: search.patience: must be one of {FORMS}, but has choice and int"),
        ("patience: {itn: [1, 2]}", "4:14: search.patience.itn: there is no key 'itn' here; did you mean int? Allowed: choice, default, when, int, step, log, float"),
        ("patience: {int: [1, 2], stpe: 1}", "4:27: search.patience.stpe: there is no key 'stpe' here; did you mean step? Allowed: int, step, log, default, when"),
        ("dropout: {float: [0, 0.5], step: 0.1}", "4:30: search.dropout.step: there is no key 'step' here; allowed: float, log, default, when"),
        ("patience: {int: [9, 3]}", "4:19: search.patience.int: must be [lowest, highest], but 9 is above 3"),
        ("patience: {int: [3]}", "4:19: search.patience.int: must be [lowest, highest], but got [3]"),
        ("patience: {int: 3}", "4:19: search.patience.int: must be [lowest, highest], but got 3"),
        ("patience: {int: [0, 3]}", "4:20: search.patience.int[0]: must be a whole number from 1 to 100000, but got 0"),
        ("patience: {int: [1, 2.5]}", "4:23: search.patience.int[1]: must be a whole number from 1 to 100000, but got 2.5"),
        ("patience: {float: [1, 3]}", "4:14: search.patience.float: patience is a whole number from 1 to 100000; search it as {int: [...]}"),
        ("dropout: {int: [0, 0]}", "4:13: search.dropout.int: dropout is a number in [0, 1); search it as {float: [...]}"),
        ("optimizer: {int: [0, 1]}", "4:15: search.optimizer.int: optimizer is one of: adam, adamw, sgd; search it as {choice: [...]}"),
        ("dropout: {float: [0, 1]}", "4:24: search.dropout.float[1]: must be a number in [0, 1), but got 1"),
        ("head_width: {int: [512, 4000], step: 512}", "4:40: search.head_width.step: must divide the range, but steps of 512 from 512 end at 3584 or 4096, not at 4000"),
        ("head_width: {int: [512, 1024], step: 0}", "4:40: search.head_width.step: must be a whole number from 1 to 512, but got 0"),
        ("head_width: {int: [512, 1024], step: 600}", "4:40: search.head_width.step: must be a whole number from 1 to 512, but got 600"),
        ("head_width: {int: [512, 1024], step: 2, log: true}", "4:34: search.head_width.step: step and log exclude each other: leave one of them out"),
        ("dropout: {float: [0, 0.5], log: true}", "4:35: search.dropout.log: a logarithm needs a range above 0, but the lowest value is 0.0"),
        ("dropout: {float: [0.1, 0.5], log: yes}", "4:37: search.dropout.log: must be true or false, but got 'yes'"),
        ("optimizer: {choice: []}", "4:23: search.optimizer.choice: must be a list such as [first, second], but got []"),
        ("optimizer: {choice: adam}", "4:23: search.optimizer.choice: must be a list such as [first, second], but got 'adam'"),
        ("optimizer: {choice: [adam, sdg]}", "4:30: search.optimizer.choice[1]: must be one of: adam, adamw, sgd, but got 'sdg'; did you mean sgd?"),
        ("optimizer: {choice: [adam, adam]}", "4:30: search.optimizer.choice[1]: must stand in the list once, but adam is there twice"),
        ("dropout: {choice: [0, 0.0]}", "4:25: search.dropout.choice[1]: must stand in the list once, but 0.0 is there twice"),
        ("lerning_rate: {float: [0.1, 1]}", f"4:3: search.lerning_rate: the trainer has no parameter 'lerning_rate'; did you mean learning_rate? It has: {TRAINER}"),
        ("patience: {int: [1, 9], default: 10}", "4:36: search.patience.default: must lie in 1 … 9, but got 10"),
        ("head_width: {int: [512, 1024], step: 256, default: 600}", "4:54: search.head_width.default: must lie in 512 … 1024 step 256, but got 600"),
        ("optimizer: {choice: [adam, adamw], default: sgd}", "4:47: search.optimizer.default: must be one of adam, adamw, but got 'sgd'"),
        ("dropout: {float: [0, 0.5], default: {VGG: 0.1}}", "4:40: search.dropout.default.VGG: there is no key 'VGG' here; did you mean VGG16? Allowed: LeNet5, VGG16, else"),
        ("dropout: {float: [0, 0.5], default: {else: 0.6}}", "4:46: search.dropout.default.else: must lie in 0.0 … 0.5, but got 0.6"),
    ],
)  # fmt: skip
def test_wrong_parameter_is_told_with_place_and_cure(line: str, message: str):
    assert said(searching(line)) == [message]


@pytest.mark.parametrize(
    ("choice", "messages"),
    [
        ("[vgg16]", [f"3:27: search.architecture.choice[0]: {NETWORKS}; but got 'vgg16'; did you mean VGG16?"]),
        ("[Densenet_121]", [f"3:27: search.architecture.choice[0]: {NETWORKS}; but got 'Densenet_121'; did you mean DenseNet121?"]),
        ("[3]", ["3:27: search.architecture.choice[0]: must be the name of an architecture, but got 3"]),
        ("[VGG16], default: VGG16", ["3:35: search.architecture.default: architecture takes no default: each one is tried first at its own"]),
        ("[VGG16], when: {dropout: [0]}", ["3:35: search.architecture.when: architecture is always asked: it takes no condition"]),
    ],
)  # fmt: skip
def test_wrong_architecture_is_told_with_a_suggestion(choice: str, messages: list[str]):
    assert said(SMALL.replace("[LeNet5, VGG16]", choice)) == messages


def test_file_without_sections_is_told_what_it_needs():
    assert said("") == [f"1:1: must have keys ({KEYS}), but got nothing"]
    assert said("[]") == [f"1:1: must have keys ({KEYS}), but got []"]
    assert said("{}") == [
        "1:1: data: is missing: it says which images to search on, such as {source: mnist-5k}",
        "1:1: search: is missing: it names the parameters to search",
    ]
    assert said("data: {source: mnist-5k}\nsearch: {}") == [
        "2:1: search: architecture must be searched or fixed, but is neither",
        "2:9: search: must name at least one parameter of the trainer, but is empty",
    ]


def test_image_size_given_twice_is_refused():
    searched = searching("image_size: {choice: [32, 64]}", rest="image: {size: 64}\n")
    fixed = SMALL + "image: {size: 64}\nfixed: {image_size: 32}\n"

    assert said(searched) == ["5:1: image: image_size is searched: leave `image` out"]
    assert said(fixed) == ["5:1: image: image.size is 64, but image_size is fixed to 32: leave one of them out"]
    assert read_space_text(SMALL + "fixed: {image_size: 64}").image_size == 64


def test_epochs_beyond_the_budget_are_refused():
    searched = searching("epochs: {int: [5, 60]}", rest="budget: {epochs: 30}\n")
    fixed = SMALL + "fixed: {epochs: 60}\nbudget: {epochs: 30}\n"

    assert said(searched) == ["4:3: search.epochs: must be at most budget.epochs (30), but goes up to 60"]
    assert said(fixed) == ["5:9: fixed.epochs: must be at most budget.epochs (30), but goes up to 60"]
    assert read_space_text(searching("epochs: {int: [5, 60]}")).budget.epochs == 60
    assert read_space_text(SMALL + "fixed: {epochs: 60}").budget.epochs == 60


def test_loss_is_minimized_unless_told_otherwise():
    assert read_space_text(SMALL + "objective: {metric: val_loss}").objective.direction == "minimize"
    assert read_space_text(SMALL + "objective: {metric: accuracy}").objective.direction == "maximize"
    told = read_space_text(SMALL + "objective: {metric: val_loss, direction: maximize}")
    assert told.objective.direction == "maximize"


@pytest.mark.parametrize(
    ("point", "messages"),
    [
        ("{architecture: VGG16, dropout: 0.9}", ["6:34: try_first[0].dropout: must lie in 0.0 … 0.5, but got 0.9"]),
        ("{architecture: VGG16, dropuot: 0.1}", ["6:25: try_first[0].dropuot: there is no key 'dropuot' here; did you mean dropout? Allowed: name, architecture, dropout, optimizer"]),
        ("{architecture: VGG16, patience: 3}", ["6:35: try_first[0].patience: is not searched in this space; searched: architecture, dropout"]),
        ("{architecture: VGG16, optimizer: adam}", ["6:36: try_first[0].optimizer: is fixed to sgd in this space, but got 'adam'"]),
        ("{architecture: MobileNet}", ["6:18: try_first[0].architecture: must be one of LeNet5, VGG16, but got 'MobileNet'"]),
        ("{dropout: 0.1}", ["6:3: try_first[0]: must name its architecture, one of: LeNet5, VGG16"]),
        ("{architecture: VGG16, dropout: [0.1]}", ["6:34: try_first[0].dropout: must be a single value, but got [0.1]"]),
        ("{architecture: VGG16, dropout: }", ["6:25: try_first[0].dropout: must be a single value, but got nothing"]),
        ("{architecture: VGG16, name: ''}", ["6:31: try_first[0].name: must be a line of text of at most 200 characters, but got ''"]),
        ("{architecture: VGG16, name: \"a\\e[31m\"}", ["6:31: try_first[0].name: must be a line of text of at most 200 characters, but got 'a\\x1b[31m'"]),
        ("3", ["6:3: try_first[0]: must have keys (name, and the parameters that are searched), but got 3"]),
    ],
)  # fmt: skip
def test_wrong_point_is_told_at_its_value(point: str, messages: list[str]):
    text = SMALL + f"try_first:\n- {point}\nfixed: {{optimizer: sgd}}\n"

    assert said(text) == messages


def test_point_with_an_unasked_parameter_is_refused():
    text = searching("blocks: {int: [3, 5]}", rest="try_first:\n  - {architecture: LeNet5, blocks: 3}\n")

    assert said(text) == ["6:36: try_first[0].blocks: is only asked where architecture is VGG16"]


def test_point_takes_defaults_for_what_it_leaves_out():
    text = searching(
        "head_width: {int: [128, 256], step: 64}",
        "learning_rate: {float: [1e-5, 1e-2], log: true}",
        "blocks: {int: [3, 4]}",
        rest="fixed: {optimizer: sgd}\ntry_first:\n  - {architecture: VGG16, optimizer: sgd}\n",
    )

    point = read_space_text(text).try_first[0]

    assert point == Point(
        name=None, values={"architecture": "VGG16", "head_width": 256, "learning_rate": 1e-4, "blocks": 4}
    )


def test_all_problems_are_told_at_once_in_order():
    text = (
        "data: {source: mnist-5k, validation: 2}\n"
        "search:\n"
        "  architecture: {choice: [LeNet5, vgg16]}\n"
        "  patience: {int: ['3', 50], log: yes}\n"
        "  dropout: {float: [0.0, 0.6]}\n"
        "fixed: {optimizer: adma}\n"
        "try_first:\n"
        "  - {architecture: LeNet5, dropuot: 0.1}\n"
        "budget: {time: 8}\n"
    )

    places = [problem.split(": ")[:2] for problem in said(text)]

    assert places == [
        ["1:38", "data.validation"],
        ["3:35", "search.architecture.choice[1]"],
        ["4:20", "search.patience.int[0]"],
        ["4:35", "search.patience.log"],
        ["6:20", "fixed.optimizer"],
        ["8:28", "try_first[0].dropuot"],
        ["9:16", "budget.time"],
    ]


MISSPELT = """\
data: {source: mnist-5k}
search:
  architecture: {choice: [LeNet5, VGG16]}
  {key}: {float: [1e-4, 1e-2]}
  dropout: {float: [0.0, 0.5], when: {optimizer: [sgd]}}
fixed: {optimzer: sgd}
try_first:
  - {architecture: LeNet5, learning_rate: 1e-3, optimizer: sgd}
"""


@pytest.mark.parametrize("key", ["lerning_rate", "lr"])
def test_misspelt_key_is_told_without_what_follows_from_it(key: str):
    places = [problem.split(": ")[:2] for problem in said(MISSPELT.replace("{key}", key))]

    assert places == [["4:3", f"search.{key}"], ["6:9", "fixed.optimzer"]]


def test_misspelt_architecture_is_told_once():
    text = "data: {source: mnist-5k}\nsearch:\n  architecure: {choice: [LeNet5]}\n  dropout: {float: [0, 0.5]}\n"

    assert [problem.split(": ")[:2] for problem in said(text)] == [["3:3", "search.architecure"]]


def test_misspelt_key_hides_no_other_mistake_of_a_point():
    text = MISSPELT.replace("{key}", "lerning_rate").replace('optimizer: sgd}\n"', "")
    text = text.replace("learning_rate: 1e-3, optimizer: sgd", "patience: 3")

    assert [problem.split(": ")[1] for problem in said(text)] == [
        "search.lerning_rate", "fixed.optimzer", "try_first[0].patience",
    ]  # fmt: skip


def test_text_of_another_kind_is_told_in_words():
    [problem] = said("# Title\n\nSome words.\n\nA key: and a value\n")

    assert "is not YAML: " in problem
    assert "(" not in problem


def test_problems_are_plain_data():
    with pytest.raises(SpaceError) as caught:
        read_space_text(SMALL + "sampler: {name: tep}", "x.yaml")

    assert caught.value.file == "x.yaml"
    assert caught.value.problems == (
        Problem(
            message="must be one of: tpe, random, gp, grid; but got 'tep'",
            path="sampler.name", line=5, column=17, suggestion="tpe",
        ),
    )  # fmt: skip
    assert isinstance(caught.value, ValueError)


def test_problems_without_end_are_cut():
    with pytest.raises(SpaceError) as caught:
        read_space_text("".join(f"key{number}: 1\n" for number in range(1000)))

    assert len(caught.value.problems) == MAX_PROBLEMS


def test_file_is_read_with_its_name(tmp_path: Path):
    file = tmp_path / "digits.yaml"
    file.write_text(SMALL)

    assert read_space(file).study == "digits"
    file.write_text("study: [")
    with pytest.raises(SpaceError, match=f"^{file}:1:9: is not YAML: while parsing a flow node: "):
        read_space(file)


def test_file_that_cannot_be_read_is_told(tmp_path: Path):
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"data: \xff\xfe")

    with pytest.raises(SpaceError) as undecoded:
        read_space(binary)
    with pytest.raises(SpaceError) as missing:
        read_space(tmp_path / "none.yaml")
    with pytest.raises(SpaceError) as folder:
        read_space(tmp_path)

    assert str(undecoded.value) == f"{binary}: must be text in UTF-8, but byte 6 is none"
    assert str(missing.value) == f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory"
    assert str(folder.value) == f"{tmp_path}: cannot be read: Is a directory"
