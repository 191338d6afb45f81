"""Publishers that take what a test lets them."""

from __future__ import annotations

from app.messages import Inspection


class FakePublisher:
    """Keeps what it is given; while `failure` is set, raises it."""

    name = "fake"

    def __init__(self) -> None:
        self.published: list[Inspection] = []
        self.failure: Exception | None = None
        self.attempts = 0

    def publish(self, inspection: Inspection) -> None:
        self.attempts += 1
        if self.failure is not None:
            raise self.failure
        self.published.append(inspection)
