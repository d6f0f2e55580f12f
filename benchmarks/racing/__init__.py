"""The race of `benchmarks/race.py`: its legs, the contestants' scripts, and what the results say."""

from __future__ import annotations
