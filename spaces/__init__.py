"""What is searched: the grammar of a space file, and the space files that ship."""

from __future__ import annotations
