"""Detectors that see what a test says."""

from __future__ import annotations

from app.messages import Box, Detection, Label

PERSON = Detection((Label("Person", 0.9, (Box(0.1, 0.1, 0.2, 0.5),)),), 1)


class FakeDetector:
    """Answers each call with the next of its answers, the last one for ever; raises those that are exceptions."""

    name = "fake"
    concurrency = 8
    cost_usd = 0.0

    def __init__(self, *answers: Detection | Exception) -> None:
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
