"""Recording, judging and comparing of the runs that `benchmarks/vitals.py` is about."""

from __future__ import annotations
