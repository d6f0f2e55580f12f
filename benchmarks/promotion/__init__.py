"""Searches on made-up learning curves, for `scheduling.py`."""
