"""`hpsearch export` and `hpsearch evaluate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from search.calling import program
from search.commands.options import DEFAULT_STORAGE, Storage, opened, print_json, say


class Split(StrEnum):
    """Part of a data set."""

    train = "train"
    validation = "validation"
    test = "test"


def export(
    study: Annotated[str, typer.Argument(metavar="STUDY")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to.")],
    trial: Annotated[int | None, typer.Option(help="Number of the trial; default: the best.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the study's data are now, if not where the study says.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is in the folder, though it is another study's or nobody's.")
    ] = False,
    storage: Storage = DEFAULT_STORAGE,
) -> None:
    """Write a trial's trained model, ready to use.

    The model takes raw images, 0 to 255, in the data's own shape: preprocessing is inside. An
    earlier export of the same study is replaced.

    \b
    hpsearch export head-shrink -o head-shrink-model
    hpsearch export head-shrink --trial 3 -o third
    """
    from search import model
    from search.commands.end import evaluate_command
    from search.study import Study

    written = model.export(Study(opened(storage), study), trial, output, say, source=data, is_forced=force)
    has_test = written["data"]["n_test"] > 0
    unseen = "images that no trial has seen" if has_test else "the validation images (the data have no test part)"
    say(
        f"trial {written['trial']} is in {output}/model.keras: {written['parameters']:,} parameters, "
        f"value {written['value']:.4f} on {written['val_images']:,} validation images; loaded again, "
        f"its probabilities differ by {written['largest_difference']:.1e} at most.\n"
        f"On {unseen}: {program()} {evaluate_command(str(output), has_test=has_test)}"
    )


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="As written by `hpsearch export`.")],
    data: Annotated[str | None, typer.Option(help="Data source; default: the one it was trained on.")] = None,
    split: Annotated[Split, typer.Option(help="Part of the data.")] = Split.test,
) -> None:
    """Measure an exported model on a part of some data, as JSON.

    Accuracy, macro F1, and scores by class.

    \b
    hpsearch evaluate head-shrink-model
    hpsearch evaluate head-shrink-model --data mnist-5k --split validation
    """
    from search import model

    print_json(model.evaluate(folder, data, split.value, say))
