"""Signs of life of a training, what they mean, and how to say it. Plain Python: no Keras, no NumPy."""

from __future__ import annotations
