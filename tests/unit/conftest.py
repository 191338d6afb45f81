"""What all unit tests share."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """What was loaded until now stays to the end: the collector need not look at it again and again."""
    gc.freeze()
