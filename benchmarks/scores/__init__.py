"""Parts of `honest_scores.py`: what is measured at the end of an epoch, and its figure."""

from __future__ import annotations
