"""A space for people: what is searched, and how large its models are."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from search.data import described
from search.durations import format_limit
from search.errors import SearchError
from search.texts import clean
from search.training.data.emnist import SPLITS
from search.training.messages import Failed, Measure, Measured
from search.view.tables import counted
from search.worker import trainer as trainers
from spaces.library import about, find_space, shipped
from spaces.reader import read_space
from spaces.table import rows

if TYPE_CHECKING:
    from rich.console import RenderableType

    from spaces.space import Parameter, Space

MEASURE_SECONDS = 1800.0

_EMNIST_IMAGE = (28, 28, 1)

# More of these never makes a smaller model; fewer blocks may well make a larger one, because the
# head then sees a larger picture, so those are tried at both ends.
_GROWING = ("head_layers", "head_width", "batch_size", "image_size")
_EITHER_WAY = ("blocks", "stages", "blocks_per_stage", "head_pool")


@dataclass(frozen=True, kw_only=True)
class Extreme:
    """The smallest or the largest model of a space."""

    which: str
    params: dict[str, Any]
    parameters: int
    memory: int
    """Bytes in training, estimated."""


def measured(space: Space) -> list[Extreme]:
    """Build the models at the corners of a space and find the smallest and the largest.

    Raises:
        SearchError: if the data's shape cannot be found out, or a model cannot be built.
    """
    points = corners(space)
    with tempfile.TemporaryDirectory() as folder:
        image_shape, n_classes = _shape_of_data(space)
        command = Measure(
            hyperparameters=[space.complete(point) for point in points],
            image_shape=image_shape,
            classes=n_classes,
            builders=space.builders,
        )
        with trainers.started(1, Path(folder) / "trainer.log") as trainer:
            answer = trainer.request(command, MEASURE_SECONDS)
    if isinstance(answer, Failed):
        raise SearchError(answer.message)
    assert isinstance(answer, Measured)
    sized = [
        Extreme(which="", params=point, parameters=parameters, memory=memory)
        for point, parameters, memory in zip(points, answer.parameters, answer.memory, strict=True)
    ]
    smallest = min(sized, key=lambda extreme: extreme.parameters)
    largest = max(sized, key=lambda extreme: (extreme.parameters, extreme.memory))
    return [
        Extreme(**{**asdict(smallest), "which": "smallest"}),
        Extreme(**{**asdict(largest), "which": "largest"}),
    ]


def corners(space: Space) -> list[dict[str, Any]]:
    """The points at which a model may be smallest or largest, for every architecture."""
    found = []
    for default in space.default_points():
        searched = {parameter.name: parameter for parameter in space.active(dict(default.values))}
        either = [name for name in _EITHER_WAY if name in searched]
        for end in (0, -1):
            grown = {name: _ends(searched[name])[end] for name in _GROWING if name in searched}
            for chosen in itertools.product(*(_ends(searched[name]) for name in either)):
                point = {**default.values, **grown, **dict(zip(either, chosen, strict=True))}
                if point not in found:
                    found.append(_only_active(space, point))
    return found


def shipped_to_dicts() -> list[dict[str, Any]]:
    """The space files that ship, as `space list --format json` prints them."""
    found = []
    for name in shipped():
        space = read_space(find_space(name))
        found.append(
            {
                "name": name,
                "about": about(name),
                "data": space.data.source,
                "search": [parameter.name for parameter in space.search],
                "trials": space.budget.trials,
            }
        )
    return found


def shipped_table(listed: list[dict[str, Any]]) -> Table:
    """One row a space file."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("space", "what it is", "searches"):
        table.add_column(column, no_wrap=column == "space")
    for row in listed:
        table.add_row(row["name"], row["about"], ", ".join(row["search"]))
    return table


def rows_to_dicts(space: Space) -> list[dict[str, Any]]:
    """The parameters, as `space check --format json` prints them."""
    return [asdict(row) for row in rows(space)]


def space_screen(space: Space, extremes: list[Extreme]) -> RenderableType:
    """What is searched, fixed and tried first, and the extremes of size."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("parameter", "kind", "values", "only when", "default"):
        table.add_column(column, overflow="fold")
    for row in rows(space):
        table.add_row(*(Text(clean(cell)) for cell in (row.name, row.kind, row.values, row.when, row.default)))
    return Group(Text(f"study {clean(space.study)}", style="bold"), Text(), table, Text(), *_facts(space, extremes))


def _facts(space: Space, extremes: list[Extreme]) -> list[Text]:
    budget = space.budget
    bounds = [f"{counted(budget.epochs, 'epoch')} a trial"]
    bounds += [counted(budget.trials, "trial")] if budget.trials else []
    bounds += [format_limit(budget.time)] if budget.time else []
    firsts = [point.name or "unnamed" for point in (*space.default_points(), *space.try_first)]
    lines = [
        f"data         {space.data.source}, {space.data.validation:.0%} for validation",
        f"objective    {space.objective.direction} {space.objective.metric}",
        f"budget       {', '.join(bounds)}",
        f"sampler      {space.sampler.name}; pruner {space.pruner.name}",
        f"tried first  {counted(len(firsts), 'point')}: {'; '.join(firsts)}",
    ]
    lines += [
        f"{extreme.which:<12} {extreme.parameters:,} parameters, about {extreme.memory / 2**20:,.0f} MiB in training: "
        f"{extreme.params.get('architecture', space.fixed.get('architecture'))}"
        for extreme in extremes
    ]
    return [Text(clean(line)) for line in lines]


def _shape_of_data(space: Space) -> tuple[tuple[int, int, int], int]:
    """Shape of an image and number of classes; EMNIST's are known without its files."""
    split = SPLITS.get(space.data.source.removeprefix("emnist-"))
    if split and space.data.source.startswith("emnist-"):
        return _EMNIST_IMAGE, len(split.classes)
    _, data = described(space)
    return data.image_shape, len(data.classes)


def _ends(parameter: Parameter) -> tuple[Any, Any]:
    if parameter.kind == "choice":
        values = sorted(parameter.choices)
        return values[0], values[-1]
    return parameter.low, parameter.high


def _only_active(space: Space, point: dict[str, Any]) -> dict[str, Any]:
    return {parameter.name: point[parameter.name] for parameter in space.active(point) if parameter.name in point}
