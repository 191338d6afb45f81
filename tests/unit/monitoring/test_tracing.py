"""The traces of events: one for each, the same after a restart, and in the log."""

from __future__ import annotations

import dataclasses
import time
import uuid
from datetime import UTC, datetime

import pytest
from structlog.contextvars import get_contextvars

from app.messages import BurstBegun, Inspection, Snapshot, Trigger, Upload
from app.monitoring.tracing import EventTracing
from pylib import tracing
from pylib.tracing import Span, Tracer

NOW = datetime(2026, 11, 20, 19, 3, 14, tzinfo=UTC)
EVENT = "5f0c8f4e9a2b4c6d8e1f2a3b4c5d6e7f"
REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def trigger(**given: object) -> Trigger:
    made = Trigger(EVENT, "Yard Camera", "Yard", NOW, time.monotonic(), "rabbitmq")
    return dataclasses.replace(made, **given)  # type: ignore[arg-type]


def snapshot(**given: object) -> Snapshot:
    made = Snapshot(EVENT, "Yard Camera", "Yard", NOW, NOW, 0.4, "rabbitmq", path="/secret/picture.jpg")
    return dataclasses.replace(made, **given)  # type: ignore[arg-type]


class Stand:
    def __init__(self, ratio: float = 1.0) -> None:
        self.spans: list[Span] = []
        self.tracing = EventTracing(Tracer(self.spans.append), ratio=ratio)

    def work(self, stage: str, message: object, outlet: str = "") -> str:
        """Returns what it passes on."""
        with self.tracing.around(stage, outlet=outlet)(message):
            return tracing.traceparent()


def test_an_event_has_one_trace_below_its_trigger_s() -> None:
    stand = Stand()
    stand.work("fetch", trigger(traceparent=REMOTE))
    taken = snapshot(traceparent=REMOTE)
    stand.work("burst", BurstBegun(taken, 0.0))
    passed_on = stand.work("publish", Inspection(taken), outlet="rabbitmq")
    first, *others = stand.spans
    assert {span.context.trace_id for span in stand.spans} == {"0af7651916cd43dd8448eb211c80319c"}
    assert (first.name, first.kind, first.parent_id) == ("trigger", "CONSUMER", "b7ad6b7169203331")
    assert [(span.name, span.parent_id) for span in others] == [
        (stage, first.context.span_id) for stage in ("fetch", "burst", "publish")
    ]
    assert (others[-1].kind, others[-1].attributes["outlet"]) == ("PRODUCER", "rabbitmq")
    assert passed_on == f"00-0af7651916cd43dd8448eb211c80319c-{others[-1].context.span_id}-01"


def test_after_a_restart_it_goes_on_below_the_same_span() -> None:
    before, after = Stand(), Stand()
    before.work("fetch", trigger())
    after.work("detect", snapshot())
    first, fetch, detect = (*before.spans, *after.spans)
    assert first.parent_id == ""
    assert (fetch.context.trace_id, detect.context.trace_id) == (EVENT, EVENT)
    assert fetch.parent_id == detect.parent_id == first.context.span_id
    assert fetch.context.span_id != detect.context.span_id


def test_the_trigger_s_span_is_how_long_it_has_waited() -> None:
    stand = Stand()
    stand.work("fetch", trigger(arrived=time.monotonic() - 5))
    waited = stand.spans[0]
    assert 4.9 < (waited.ended - waited.started) / 1e9 < 60


def test_what_is_pushed_begins_its_trace_by_being_received() -> None:
    stand = Stand()
    stand.work("receive", Upload(EVENT, "Yard Camera", "Yard", "/in/x.jpg", "yard/x.jpg", "ftp"))
    stand.work("detect", snapshot(origin="ftp"))
    received, detect = stand.spans
    assert (received.name, received.parent_id) == ("receive", "")
    assert detect.parent_id == received.context.span_id


def test_two_events_of_one_trigger_s_trace_are_told_apart() -> None:
    stand = Stand()
    for event_id in (EVENT, EVENT[::-1]):
        stand.work("fetch", trigger(id=event_id, traceparent=REMOTE))
    assert len({span.context.span_id for span in stand.spans}) == 4


def test_a_span_says_nothing_but_which_event_it_is_about() -> None:
    stand = Stand()
    stand.work("detect", snapshot(active_input={"secret": 1}, baggage="secret=1"))
    assert stand.spans[0].attributes == {"event.id": EVENT, "camera": "Yard Camera", "origin": "rabbitmq"}


@pytest.mark.parametrize(("flags", "ratio", "spans"), [("01", 0.0, 1), ("00", 1.0, 0)])
def test_a_trigger_says_itself_whether_it_is_traced(flags: str, ratio: float, spans: int) -> None:
    stand = Stand(ratio)
    passed_on = stand.work("detect", snapshot(traceparent=REMOTE[:-2] + flags))
    assert len(stand.spans) == spans
    assert passed_on.endswith(flags)


def test_others_are_traced_by_their_share() -> None:
    stand = Stand(0.25)
    for number in range(400):  # ids are UUIDs, in which not all digits are drawn
        stand.work("detect", snapshot(id=uuid.uuid5(uuid.NAMESPACE_URL, str(number)).hex))
    assert 70 < len(stand.spans) < 130


@pytest.mark.parametrize("event_id", ["", "digest", "0" * 32, "G" * 32])
def test_whatever_an_event_s_id_is_it_has_a_valid_trace(event_id: str) -> None:
    stand = Stand()
    stand.work("detect", snapshot(id=event_id, traceparent="nonsense"))
    (span,) = stand.spans
    assert int(span.context.trace_id, 16)
    assert int(span.parent_id, 16)
    assert (len(span.context.trace_id), len(span.parent_id)) == (32, 16)


def test_log_lines_carry_the_trace() -> None:
    stand = Stand()
    with stand.tracing.around("detect")(snapshot()):
        assert get_contextvars() == {"trace_id": EVENT}
    with stand.tracing.receiving(EVENT, camera="Yard Camera", origin="ftp"):
        assert get_contextvars() == {"trace_id": EVENT}
    with EventTracing().around("detect")(snapshot(traceparent=REMOTE)):
        assert get_contextvars() == {"trace_id": "0af7651916cd43dd8448eb211c80319c"}
    assert get_contextvars() == {}


def test_without_a_collector_nothing_is_made_up() -> None:
    off = EventTracing()
    for message in (trigger(), snapshot(), snapshot(traceparent="nonsense"), object()):
        with off.around("detect")(message):
            assert (tracing.traceparent(), get_contextvars()) == ("", {})
