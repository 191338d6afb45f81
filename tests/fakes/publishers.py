"""Publishers that take what a test lets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from app.messages import Inspection
from pylib.runtime.threads import ManagedThread


class FakePublisher:
    """Keeps what it is given; while `failure` is set, raises it."""

    name = "fake"
    threads: tuple[ManagedThread, ...] = ()

    def __init__(self, *, abandon_after: Mapping[str, float] | None = None) -> None:
        self.abandon_after: Mapping[str, float] = abandon_after or {}
        self.published: list[Inspection] = []
        self.failure: Exception | None = None
        self.attempts = 0

    def publish(self, inspection: Inspection) -> None:
        self.attempts += 1
        if self.failure is not None:
            raise self.failure
        self.published.append(inspection)


class FollowingPublisher(FakePublisher):
    """One that follows edits; `meanwhile` happens while it publishes."""

    follows_edits: Literal[True] = True
    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def publish(self, inspection: Inspection) -> None:
        super().publish(inspection)
        self.meanwhile()
