"""Messages between worker and trainer as lines: one JSON object each."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_args

from search.training.messages import Command, Event, Seconds

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (*get_args(Command), *get_args(Event))}


def encode(message: Command | Event) -> bytes:
    """The message as one line of UTF-8 JSON, newline included.

    Raises:
        ValueError: if a number is NaN or infinite: those are failures, not values.
    """
    body = {"kind": type(message).__name__, **asdict(message)}
    return json.dumps(body, allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> Any:
    """The message that `encode` made the line from.

    Raises:
        ValueError: if the line is no message.
    """
    try:
        body = json.loads(line)
        kind = _KINDS[body.pop("kind")]
        if "seconds" in body:
            body["seconds"] = Seconds(**body["seconds"])
        for name in ("image_shape", "judge_at"):
            if name in body:
                body[name] = tuple(body[name])
        return kind(**body)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"not a message: {line[:200]!r}") from error
