"""Stages and sources, and the threads that carry messages between them over ZeroMQ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Stage(Protocol):
    """One step of the pipeline: a plain object, tested by calling it."""

    def handle(self, message: object) -> Iterable[object]:
        """Do the step for one message; what it returns goes to the next stage."""
        ...
