"""The token: what a browser has to show before the dashboard answers it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from search.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MIN_CHARACTERS = 16
"""Of a token that somebody chose: there is no limit to how often one may be guessed."""

_N_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class Token:
    """A secret, and how it is recognised. `repr` does not show it."""

    text: str = field(repr=False)
    is_given: bool = False
    """Whether somebody chose it and knows it; otherwise it has to be printed."""

    @classmethod
    def new(cls) -> Self:
        """A random one of 192 bits, valid until the dashboard ends."""
        return cls(text=secrets.token_hex(_N_BYTES))

    @classmethod
    def read(cls, file: Path) -> Self:
        """The one in a file; white space around it does not count.

        Raises:
            UsageError: if it cannot be read, or could be guessed or mistyped.
        """
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the token file must be a text that can be read, but {file}: {error}") from error
        if len(text) < MIN_CHARACTERS or not (text.isascii() and text.isprintable()) or " " in text:
            raise UsageError(
                f"the token in {file} must be one word of at least {MIN_CHARACTERS} ASCII characters; "
                f"a good one: openssl rand -hex {_N_BYTES}"
            )
        return cls(text=text, is_given=True)

    @property
    def cookie(self) -> str:
        """What a browser keeps in its place: whoever reads the browser's files does not learn the token."""
        return hashlib.sha256(b"hpsearch dashboard cookie " + self.text.encode()).hexdigest()

    def is_text(self, text: str) -> bool:
        """Whether somebody knows the token."""
        return hmac.compare_digest(text.encode(), self.text.encode())

    def is_cookie(self, value: str) -> bool:
        """Whether somebody has shown the token before."""
        return hmac.compare_digest(value.encode(), self.cookie.encode())
