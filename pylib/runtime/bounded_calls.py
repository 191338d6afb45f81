"""Time limits for calls that may hang for ever, such as those to a network mount."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCalls:
    """Makes calls in threads of their own. One that hangs keeps its thread; the number of those is limited, too."""

    def __init__(self, name: str, *, seconds: float, hanging: int) -> None:
        """`hanging`: calls that may hang at once before further ones are refused."""
        self._name = name
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(hanging)

    def call(self, work: Callable[[], T]) -> T:
        """The result of `work`, or what it raises. TimeoutError when it takes longer, or when too many hang already."""
        if not self._places.acquire(timeout=self._seconds):
            raise TimeoutError
        call = _Call(work, self._places.release)
        threading.Thread(target=call.run, name=self._name, daemon=True).start()
        return call.answer(self._seconds)


class _Call(Generic[T]):
    def __init__(self, work: Callable[[], T], ended: Callable[[], None]) -> None:
        self._work = work
        self._ended = ended
        self._done = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            self._error = error
        finally:
            self._ended()
            self._done.set()

    def answer(self, seconds: float) -> T:
        if not self._done.wait(seconds):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result[0]
