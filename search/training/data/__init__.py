"""Images to train on: sources, the validation cut, and a fingerprint that names all of it."""

from __future__ import annotations
