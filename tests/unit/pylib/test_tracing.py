"""Spans, and the trace context that is passed on."""

from __future__ import annotations

import itertools

import pytest

from pylib import tracing
from pylib.tracing import Span, TraceContext, Tracer

ABOVE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", sampled=True)


def test_work_in_work_stands_below_it() -> None:
    spans: list[Span] = []
    ticks = itertools.count(1)
    tracer = Tracer(spans.append, clock=lambda: next(ticks))
    with tracer.span("detect", ABOVE, {"camera": "Yard"}), tracing.within("decide"):
        passed_on = tracing.traceparent()
    decide, detect = spans
    assert (detect.name, detect.parent_id, detect.started, detect.ended) == ("detect", ABOVE.span_id, 1, 4)
    assert (decide.name, decide.parent_id, decide.started, decide.ended) == ("decide", detect.context.span_id, 2, 3)
    assert detect.attributes == {"camera": "Yard"}
    assert passed_on == f"00-{ABOVE.trace_id}-{decide.context.span_id}-01"
    assert tracing.traceparent() == ""


def test_a_span_names_the_code_of_what_failed_and_nothing_else() -> None:
    spans: list[Span] = []
    tracer = Tracer(spans.append)
    with tracer.span("fetch", ABOVE, {}):
        tracing.failed("login_refused: admin:secret@10.0.0.1 refuses the login")
    with pytest.raises(KeyError), tracer.span("fetch", ABOVE, {}):
        raise KeyError("secret")
    assert [span.problem for span in spans] == ["login_refused", "KeyError"]


def test_what_is_not_sampled_is_passed_on_but_not_recorded() -> None:
    spans: list[Span] = []
    with Tracer(spans.append).span("publish", ABOVE._replace(sampled=False), {}):
        passed_on = TraceContext.of(tracing.traceparent())
    assert not spans
    assert passed_on is not None
    assert (passed_on.trace_id, passed_on.sampled) == (ABOVE.trace_id, False)


def test_without_a_tracer_nothing_happens() -> None:
    with tracing.within("decide"):
        tracing.failed("timeout: x")
        assert tracing.traceparent() == ""


def test_the_header_is_read_as_it_is_written() -> None:
    assert TraceContext.of(ABOVE.traceparent) == ABOVE
    assert TraceContext.of("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02-more") == ABOVE._replace(
        sampled=False
    )
    assert TraceContext.of("") is None


def test_a_share_of_the_traces_is_sampled_always_the_same() -> None:
    ids = [f"{'0' * 18}{number * 2**56 // 1000:014x}" for number in range(1000)]
    assert sum(tracing.sampled(one, 0.25) for one in ids) == 250
    assert all(tracing.sampled(one, 1) for one in ids)
    assert not any(tracing.sampled(one, 0) for one in ids)
