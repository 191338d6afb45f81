"""Cameras that do what a test says."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from app.cameras import Frame


def jpeg(width: int = 64, height: int = 48, *, color: str = "navy") -> bytes:
    """A small valid picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, "JPEG")
    return out.getvalue()


class FakeCamera:
    """Answers each call with the next of its answers, the last one for ever; raises those that are exceptions."""

    def __init__(self, *answers: bytes | Exception | Callable[[], bytes]) -> None:
        self.answers = list(answers) or [jpeg()]
        self.calls: list[str | None] = []
        self.closed = False

    def snapshot(self, device_params: str | None = None) -> Frame:
        self.calls.append(device_params)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Frame(answer() if callable(answer) else answer)

    def close(self) -> None:
        self.closed = True
