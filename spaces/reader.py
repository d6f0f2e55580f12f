"""Reading a space file: everything that is wrong with it is told at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spaces import fields, sections
from spaces.builders import Builders, read_folder
from spaces.catalogue import RULES, Scalar
from spaces.conditions import Known, with_conditions
from spaces.defaults import with_default
from spaces.errors import Problem, SpaceError
from spaces.nodes import Node, Problems, tree
from spaces.points import read_fixed, read_points
from spaces.ranges import read_parameters
from spaces.space import DataPart, Parameter, Space
from spaces.yaml_text import MAX_CHARACTERS, parse_yaml

KEYS = (
    "study", "data", "image", "objective", "search", "fixed", "try_first", "budget", "sampler", "pruner", "checkpoint",
    "builders",
)  # fmt: skip
"""The top-level keys of a space file."""


def read_space(path: Path) -> Space:
    """The space in a file; without a key `study` its study is named like the file.

    Raises:
        SpaceError: with all that is wrong, each with its line; also where the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"must be text in UTF-8, but byte {error.start} is none") from error
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from error
    return read_space_text(text, str(path), path.absolute().parent)


def read_space_text(text: str, file: str = "space", folder: Path | None = None) -> Space:
    """The space in a text.

    Args:
        text: YAML 1.2.
        file: named in messages; its stem is the study's name where the text gives none.
        folder: where a relative `builders` begins; default: the current folder.

    Raises:
        SpaceError: with all that is wrong, each with its line.
    """
    problems = Problems(file)
    root = parse_yaml(text, problems)
    builders = read_folder(_at(root, "builders"), problems, folder or Path.cwd(), is_checked=True)
    return _read(root, problems, Path(file).stem, builders)


def read_space_json(text: str) -> Space:
    """The space that `Space.to_json` wrote; raises SpaceError for any other text."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpaceError([Problem(message=f"is not JSON: {error}", path="")], "space") from error
    return read_space_plain(plain, "space", is_checked=False)


def read_space_plain(plain: Any, file: str, *, is_checked: bool) -> Space:
    """The space in a value as `plain.to_plain` gives it.

    Args:
        plain: dicts, lists and scalars.
        file: named in messages.
        is_checked: whether the files of the user's own architectures must be there.

    Raises:
        SpaceError: with all that is wrong.
    """
    from spaces.plain import as_in_file

    root, problems = tree(as_in_file(plain)), Problems(file)
    builders = read_folder(_at(root, "builders"), problems, Path.cwd(), is_checked=is_checked)
    return _read(root, problems, "study", builders)


def _unreadable(path: Path, message: str) -> SpaceError:
    return SpaceError([Problem(message=message, path="")], str(path))


def _at(root: Node, key: str) -> Node | None:
    return root.value.get(key) if isinstance(root.value, dict) else None


def _read(root: Node, problems: Problems, stem: str, builders: Builders) -> Space:
    found = fields.entries(root, KEYS, problems)
    fixed = read_fixed(found["fixed"], problems, builders) if "fixed" in found else {}
    search = found.get("search", Node({}, "search"))
    parameters = read_parameters(search, problems, builders) if "search" in found else {}
    _check_there(root, found, problems)
    _check_once(search, found.get("fixed"), problems)
    meant = fields.meant(found.get("search")) | fields.meant(found.get("fixed"))
    joined = _joined(search, parameters, fixed, frozenset(meant), problems)
    space = _space(found, stem, fixed, joined, builders.folder, problems)
    _check_fixed(found.get("fixed"), space, problems)
    _check_epochs(search, found.get("fixed"), space, problems)
    _check_grid(found.get("sampler"), search, space, problems)
    if "try_first" in found:
        named = _keys(search) - {parameter.name for parameter in space.search}
        unread = named | (meant - space.fixed.keys() - {parameter.name for parameter in space.search})
        unread |= set() if space.architectures else {"architecture"}
        space = replace(space, try_first=read_points(found["try_first"], problems, space, unread))
    problems.check()
    return space


def _check_there(root: Node, found: dict[str, Node], problems: Problems) -> None:
    if not isinstance(root.value, dict):
        problems.check()
    if "data" not in found:
        message = "is missing: it says which images to search on, such as {source: mnist-5k}"
        fields.missing(root, "data", message, problems)
    if "search" not in found:
        fields.missing(root, "search", "is missing: it names the parameters to search", problems)
    elif not any("architecture" in _named(found.get(section)) for section in ("search", "fixed")):
        problems.add(found["search"], "architecture must be searched or fixed, but is neither", at_key=True)


def _check_once(search: Node, fixed: Node | None, problems: Problems) -> None:
    for name in _keys(fixed) & _keys(search):
        assert fixed is not None
        problems.add(fixed.value[name], "is searched as well: leave it out of `fixed` or of `search`", at_key=True)


def _named(node: Node | None) -> set[str]:
    return _keys(node) | fields.meant(node)


def _keys(node: Node | None) -> set[str]:
    return set(node.value) if node and isinstance(node.value, dict) else set()


def _joined(
    search: Node, parameters: dict[str, Parameter], fixed: dict[str, Scalar], unread: frozenset[str],
    problems: Problems,
) -> tuple[Parameter, ...]:  # fmt: skip
    """The parameters with conditions and defaults, which need to know about each other."""
    architectures = _architectures(parameters, fixed)
    free = {name: value for name, value in fixed.items() if name not in parameters}
    known = Known(node=search, parameters=parameters, fixed=free, architectures=architectures, unread=unread)
    return tuple(
        with_default(parameter, search.value[parameter.name], architectures, problems)
        for parameter in with_conditions(known, problems)
    )


def _architectures(parameters: dict[str, Parameter], fixed: dict[str, Scalar]) -> tuple[str, ...]:
    if "architecture" in parameters:
        return tuple(str(name) for name in parameters["architecture"].choices)
    return (str(fixed["architecture"]),) if "architecture" in fixed else ()


def _space(
    found: dict[str, Node], stem: str, fixed: dict[str, Scalar], search: tuple[Parameter, ...],
    builders: str | None, problems: Problems,
) -> Space:  # fmt: skip
    empty = Node({}, "")
    epochs = _most_epochs(search, fixed)
    budget = sections.read_budget(found.get("budget", empty), problems, epochs)
    return Space(
        study=_study(found.get("study"), stem, problems),
        data=_data(found.get("data"), problems),
        image_size=_image_size(found.get("image", empty), search, fixed, problems),
        objective=sections.read_objective(found.get("objective", empty), problems),
        search=search,
        fixed=MappingProxyType(fixed),
        try_first=(),
        budget=budget,
        sampler=sections.read_sampler(found.get("sampler", empty), problems),
        pruner=sections.read_pruner(found.get("pruner", empty), problems, budget.epochs),
        checkpoint=sections.read_checkpoint(found.get("checkpoint"), problems),
        builders=builders,
    )


def _most_epochs(search: tuple[Parameter, ...], fixed: dict[str, Scalar]) -> int:
    """The epochs of a budget that gives none: as many as a trial may ask for, else the default."""
    searched = next((p for p in search if p.name == "epochs"), None)
    if searched:
        return max(int(value) for value in (*searched.choices, searched.high))
    return int(fixed.get("epochs", 0)) or int(RULES["epochs"].default or 0)


def _study(node: Node | None, stem: str, problems: Problems) -> str:
    given = None if node is None else fields.name(node, problems)
    return given or fields.name_of_file(stem)


def _data(node: Node | None, problems: Problems) -> DataPart:
    read = None if node is None else sections.read_data(node, problems)
    return read or DataPart(source="mnist-5k")


def _image_size(node: Node, search: tuple[Parameter, ...], fixed: dict[str, Scalar], problems: Problems) -> int:
    size = sections.read_image_size(node, problems)
    default = int(RULES["image_size"].default or 0)
    if any(parameter.name == "image_size" for parameter in search):
        if size is not None:
            problems.add(node, "image_size is searched: leave `image` out", at_key=True)
        return default
    wanted = int(fixed.get("image_size", size or default))
    if size not in (None, wanted):
        problems.add(
            node, f"image.size is {size}, but image_size is fixed to {wanted}: leave one of them out", at_key=True
        )
    return wanted


def _check_fixed(node: Node | None, space: Space, problems: Problems) -> None:
    for name in space.fixed if space.architectures else ():
        users = RULES[name].architectures or ()
        if node and users and not set(users) & set(space.architectures):
            message = f"{name} is used by {' and '.join(users)} only, and this space has none of these"
            problems.add(node.value[name], message, at_key=True)


def _check_epochs(search: Node, fixed: Node | None, space: Space, problems: Problems) -> None:
    most, limit = _most_epochs(space.search, dict(space.fixed)), space.budget.epochs
    if most <= limit:
        return
    for node in (search, fixed):
        if node and "epochs" in _keys(node):
            message = f"must be at most budget.epochs ({limit}), but goes up to {most}"
            problems.add(node.value["epochs"], message, at_key=True)


def _check_grid(node: Node | None, search: Node, space: Space, problems: Problems) -> None:
    if space.sampler.name != "grid" or node is None:
        return
    for parameter in space.search:
        if parameter.kind == "float" and parameter.low < parameter.high:
            message = "is continuous, but the sampler grid needs single values: write it as {choice: [...]}"
            problems.add(search.value[parameter.name], message, at_key=True)
