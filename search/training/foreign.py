"""What in a serialised model is not Keras' own, or does more than calculate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ACTING = (
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer",
    "StringLookup", "IntegerLookup", "TextVectorization",
)  # fmt: skip
"""Layers of Keras that run code which comes with them, or read files that they name."""
_NOT_NETWORKS = ("keras.utils", "keras.saving", "keras.config", "keras.datasets", "keras.preprocessing")


def foreign_parts(config: object) -> Iterator[str]:
    """Names of all such parts; `config` as Keras writes it, without anything being built from it."""
    if isinstance(config, dict):
        if _is_foreign(config):
            yield config["config"] if isinstance(config["config"], str) else str(config["class_name"])
        for value in config.values():
            yield from foreign_parts(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from foreign_parts(value)


def _is_foreign(config: dict[str, Any]) -> bool:
    if "class_name" not in config or "config" not in config:
        return False
    # Without a module it is plain data, such as an array, or a lambda, which Keras refuses to load.
    module = str(config.get("module", "keras"))
    is_own = module.partition(".")[0] == "keras" and not module.startswith(_NOT_NETWORKS)
    return not is_own or config["class_name"] in ("__lambda__", *_ACTING)
