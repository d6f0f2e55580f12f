"""What a trial came to: all that has to be recorded of its end, as one piece."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from search.trial import Outcome


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one attempt ended its trial. It stands for itself: whoever finds it can record it."""

    study: str
    number: int
    token: str
    """The attempt's; a result counts only while its trial is that attempt's."""
    worker: str
    attempt: int
    state: Literal["complete", "pruned", "failed"]
    value: float | None
    """None where it failed."""
    outcome: Outcome
    curve: tuple[dict[str, float], ...] = ()
    """The whole curve: some of it may not have reached the store."""
    vitals: tuple[dict[str, float], ...] = ()
    story: str = ""

    def to_json(self) -> str:
        """As text, to be read by `from_json`."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The result that `to_json` wrote.

        Raises:
            ValueError: if the text is no result.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            values["outcome"] = Outcome(**values["outcome"])
            return cls(**{**values, "curve": tuple(values["curve"]), "vitals": tuple(values["vitals"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a result: {text[:200]!r}") from error
