"""`python -m search` is `hpsearch`."""

from __future__ import annotations

from search.main import main

main()
