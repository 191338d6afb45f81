"""The spans of events: one trace for each, whatever happens in between. Log lines of an event carry the trace's id."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from structlog.contextvars import bound_contextvars

from app.messages import BurstBegun, Inspection, ObjectCreated, Snapshot, Trigger, Upload
from app.wire import trace
from pylib.tracing import Attribute, TraceContext, Tracer, sampled

Around = Callable[[object], AbstractContextManager[object]]
"""What is around the work on a message."""

_UNTRACED = nullcontext()
_EVENT_ID = re.compile("(?!0{16})[0-9a-f]{32}")


class EventTracing:
    """Knows the trace of each event: its trigger's, else one that is made from the event's id.

    It is the same after a restart: what a later process does for an event stands below the same first span.
    """

    def __init__(self, tracer: Tracer | None = None, *, ratio: float = 1.0) -> None:
        """Without a tracer the log alone says which trace a trigger belongs to, and nothing is passed on but that.

        `ratio`: the share (0..1) of events that is recorded, of those whose trigger does not say so itself.
        """
        self._tracer = tracer
        self._ratio = ratio

    def around(self, stage: str, *, outlet: str = "") -> Around:
        """Around the work of this stage, which serves this outlet, if any."""

        def work(message: object) -> AbstractContextManager[object]:
            if isinstance(message, Inspection | BurstBegun):
                message = message.snapshot
            if isinstance(message, Trigger | Snapshot):
                return self._work(stage, message, outlet)
            if isinstance(message, Upload | ObjectCreated):
                return self.receiving(message.id, camera=message.camera, origin=message.origin)
            return _UNTRACED

        return work

    def receiving(self, event_id: str, *, camera: str, origin: str) -> AbstractContextManager[object]:
        """Around the work by which a picture that was pushed becomes an event: the first span of its trace."""
        if self._tracer is None:
            return _UNTRACED
        return self._received(self._tracer, event_id, _attributes(event_id, camera, origin))

    def _work(self, stage: str, of: Trigger | Snapshot, outlet: str) -> AbstractContextManager[object]:
        # Checked again: the journal of an earlier release may hold anything.
        above = TraceContext.of(trace.traceparent(of.traceparent)) if of.traceparent else None
        if self._tracer is not None:
            return self._traced(self._tracer, stage, of, above, outlet)
        return bound_contextvars(trace_id=above.trace_id) if above else _UNTRACED

    @contextmanager
    def _received(self, tracer: Tracer, event_id: str, attributes: dict[str, Attribute]) -> Iterator[None]:
        first = self._first(event_id, None)
        above = first._replace(span_id="")
        with (
            bound_contextvars(trace_id=first.trace_id),
            tracer.span("receive", above, attributes, own_id=first.span_id, kind="CONSUMER"),
        ):
            yield

    @contextmanager
    def _traced(
        self, tracer: Tracer, stage: str, of: Trigger | Snapshot, above: TraceContext | None, outlet: str
    ) -> Iterator[None]:
        first, attributes = self._first(of.id, above), _attributes(of.id, of.camera, of.origin)
        if isinstance(of, Trigger):  # which has waited until now
            since = time.time_ns() - int((time.monotonic() - of.arrived) * 1e9)
            above = above or first._replace(span_id="")
            with tracer.span("trigger", above, attributes, own_id=first.span_id, kind="CONSUMER", started=since):
                pass
        if outlet:
            attributes["outlet"] = outlet
        with (
            bound_contextvars(trace_id=first.trace_id),
            tracer.span(stage, first, attributes, kind="PRODUCER" if outlet else "INTERNAL"),
        ):
            yield

    def _first(self, event_id: str, above: TraceContext | None) -> TraceContext:
        """The first span of an event, below its trigger's: always the same."""
        known = event_id if _EVENT_ID.fullmatch(event_id) else hashlib.sha256(event_id.encode()).hexdigest()
        if above is not None:
            return above._replace(span_id=known[:16])
        return TraceContext(known[:32], known[:16], sampled(known[:32], self._ratio))


def _attributes(event_id: str, camera: str, origin: str) -> dict[str, Attribute]:
    """What a span says of its event: nothing that a sender made up, no address, no login, no picture."""
    return {"event.id": event_id, "camera": camera, "origin": origin}
