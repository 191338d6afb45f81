"""Spans of work, and the W3C trace context that they pass on. Where no tracer made one, all of it does nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, NamedTuple

Attribute = str | float
Kind = Literal["INTERNAL", "CONSUMER", "PRODUCER"]
"""Whether it is work inside the process, on what another program sent, or for another program."""


class TraceContext(NamedTuple):
    """Which trace something belongs to, and below which span."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits; empty where nothing stands above."""
    sampled: bool
    """Whether its spans are recorded."""

    @property
    def traceparent(self) -> str:
        """The header of W3C's trace context, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    @classmethod
    def of(cls, traceparent: str) -> TraceContext | None:
        """The context in a valid header; None for an empty one."""
        if not traceparent:
            return None
        _version, trace_id, span_id, flags = traceparent.split("-")[:4]
        return cls(trace_id, span_id, bool(int(flags, 16) & 1))


@dataclass(slots=True, eq=False)
class Span:
    """A piece of work: what it was, when, and below which other one. Times are Unix nanoseconds."""

    name: str
    context: TraceContext
    """Its own: what work below it has as its parent."""
    parent_id: str
    """16 hex digits; empty for the first of a trace."""
    attributes: dict[str, Attribute]
    started: int
    ended: int = 0
    kind: Kind = "INTERNAL"
    problem: str = ""
    """Why it failed, as a code; empty when all went well."""


class Tracer:
    """Makes spans, and gives those that are sampled to a sink as they end. From any thread."""

    def __init__(self, sink: Callable[[Span], None], *, clock: Callable[[], int] = time.time_ns) -> None:
        """`sink` returns at once and never raises."""
        self._sink = sink
        self._clock = clock

    @contextmanager
    def span(
        self,
        name: str,
        parent: TraceContext,
        attributes: Mapping[str, Attribute],
        *,
        own_id: str = "",
        kind: Kind = "INTERNAL",
        started: int = 0,
    ) -> Iterator[Span]:
        """The work inside. `own_id`: the span's id, unless one is drawn; `started`: when it began, unless now.

        An exception is its problem, and goes on.
        """
        context = TraceContext(parent.trace_id, own_id or new_span_id(), parent.sampled)
        span = Span(name, context, parent.span_id, dict(attributes), started or self._clock(), kind=kind)
        token = _current.set((self, span))
        try:
            yield span
        except BaseException as error:
            span.problem = getattr(error, "code", "") or type(error).__name__
            raise
        finally:
            _current.reset(token)
            if context.sampled:
                span.ended = self._clock()
                self._sink(span)


_current: ContextVar[tuple[Tracer, Span] | None] = ContextVar("span", default=None)


@contextmanager
def within(name: str) -> Iterator[None]:
    """A part of the work whose span this thread is in; nothing where it is in none."""
    current = _current.get()
    if current is None:
        yield
        return
    tracer, span = current
    with tracer.span(name, span.context, {}):
        yield


def failed(problem: str) -> None:
    """The work of this thread's span failed, as `code: sentence`; the sentence, which may name anything, stays here."""
    current = _current.get()
    if current is not None:
        current[1].problem = problem.partition(":")[0]


def traceparent() -> str:
    """What this thread's work passes on as its trace context; empty where it has no span."""
    current = _current.get()
    return current[1].context.traceparent if current is not None else ""


def new_span_id() -> str:
    return f"{random.getrandbits(64) or 1:016x}"


def sampled(trace_id: str, ratio: float) -> bool:
    """Whether a trace is among this share (0..1) of all: the same answer at every call, in every process.

    By its last 56 bits, as OpenTelemetry has it: those before them are not drawn in an id that is a UUID.
    """
    return int(trace_id[-14:], 16) >= (1 - ratio) * 2**56
