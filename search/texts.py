"""Text from elsewhere, such as a name in a shared store or an error: how it may be shown."""

from __future__ import annotations

import os
import re
import sys

# Control characters, line ends of Unicode, and what turns the direction of writing round.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: object) -> str:
    """It on one line, without anything that a terminal would obey."""
    return _UNSEEN.sub(" ", str(text))


def clean_lines(text: object) -> str:
    """The same for a text of several lines."""
    return "\n".join(clean(line) for line in str(text).split("\n"))


def without_password(text: str) -> str:
    """It without the password of the store's address, should somebody else's code have put it there."""
    from storage.errors import StorageError
    from storage.url import StoreUrl

    for address in (os.environ.get("HPSEARCH_STORAGE", ""), *sys.argv):
        if "://" not in address:
            continue
        try:
            text = StoreUrl.parse(address.removeprefix("--storage=")).scrub(text)
        except StorageError:
            continue  # no address: nothing has been reached by it
    return text
