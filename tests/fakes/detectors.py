"""Detectors that see what a test says."""

from __future__ import annotations

from app.messages import Box, Detection, Label

PERSON = Detection((Label("Person", 0.9, (Box(0.1, 0.1, 0.2, 0.5),)),), 1)


class FakeDetector:
    """Answers each call with the next of its answers, the last one for ever; raises those that are exceptions."""

    concurrency = 8

    def __init__(self, *answers: Detection | Exception, name: str = "fake", cost_usd: float = 0.0) -> None:
        self.name = name
        self.cost_usd = cost_usd
        self.answers = list(answers) or [PERSON]
        self.pictures: list[bytes] = []
        self.closed = False

    def detect(self, picture: bytes) -> Detection:
        self.pictures.append(picture)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True
