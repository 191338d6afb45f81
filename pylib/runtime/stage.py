"""The interface of a stage: a plain object that turns one message into others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar, runtime_checkable

M = TypeVar("M")


class Stage(Generic[M]):
    """One step of the pipeline: a plain object, tested by calling it."""

    def open(self) -> None:
        """Called once before the first message, in the relay's thread."""

    def handle(self, message: M) -> Iterable[object]:
        """Do the step for one message; the results go to the next stage.

        Called in worker threads, many at once, but one at a time for each key. Raise `Transient` when this
        process cannot do it now (a full disk): the relay calls again with the same message until it works.
        """
        raise NotImplementedError

    def shed(self, message: M) -> Iterable[object]:
        """Called in place of `handle` when too many messages of the same key are waiting already."""
        return self.handle(message)

    def may_shed(self, message: M) -> bool:  # noqa: ARG002 - most stages do not mind which
        """Whether this one may be shed; called in the relay's thread."""
        return True

    def pending(self) -> Iterable[M]:
        """Messages that are pending according to the record, oldest first and not more than fit in memory.

        Called in the relay's thread at start and regularly; the relay leaves out those that it has already.
        """
        return ()

    def close(self) -> None:
        """Called once after the last message, in the relay's thread."""


class Source(Protocol):
    """Where messages come from, when not from another stage."""

    def poll(self, timeout: float) -> Iterable[object]:
        """Messages that have come, waiting at most `timeout` seconds; called by the feeder's thread only."""
        ...

    def close(self) -> None:
        """Called once after the last `poll`, in the feeder's thread."""
        ...


@runtime_checkable
class PausableSource(Source, Protocol):
    """A source that would go on bringing messages while what they go to is stopped."""

    def pause(self) -> None:
        """Bring nothing new from now on; from any thread. `poll` is still called, for what is to be settled."""
        ...


class Meter(Protocol):
    """Counts and times what a relay does; cheap and thread-safe."""

    def started(self) -> None: ...

    def finished(self, outcome: str, seconds: float) -> None: ...
