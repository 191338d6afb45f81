"""Traces of the running service: one for an event, over a crash, from its trigger to whoever is told."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Launch
from tests.e2e.process import until
from tests.fakes.collector import Collector, attributes_of
from tests.fakes.http_double import http_double

TRACE = "0af7651916cd43dd8448eb211c80319c"
ABOVE = "b7ad6b7169203331"


def test_an_event_has_one_trace_over_a_crash_and_a_collector_that_is_away_costs_nothing(launch: Launch) -> None:
    collector = Collector()
    with http_double() as phone:
        phone.hold.clear()
        service = launch(
            cameras=[{"location": "Yard", "kind": "demo"}],
            publishers=[{"kind": "webhook", "name": "phone", "url": phone.url}],
            tracing={"endpoint": collector.url},
        )
        service.start().wait_ready()
        header = {"traceparent": f"00-{TRACE}-{ABOVE}-01"}
        service.http("POST", "/api/cameras/yard/trigger", headers=header)
        until(lambda: len(phone.seen) == 1)
        spans: list[Any] = []

        def has(*names: str) -> bool:
            while not collector.requests.empty():
                spans.extend(collector.next_spans())
            return {span.name for span in spans} >= set(names)

        until(lambda: has("trigger", "fetch", "detect", "decide"))
        service.kill()  # while the message is under way
        phone.hold.set()
        service.start().wait_ready()
        until(lambda: has("publish phone"))

        assert {span.trace_id.hex() for span in spans} == {TRACE}
        of = {span.name: span for span in spans}
        assert of["trigger"].parent_span_id.hex() == ABOVE
        first = of["trigger"].span_id
        assert {of[name].parent_span_id for name in ("fetch", "detect", "publish phone")} == {first}
        assert of["decide"].parent_span_id == of["detect"].span_id
        assert phone.seen[-1].headers["traceparent"] == f"00-{TRACE}-{of['publish phone'].span_id.hex()}-01"
        assert {name for span in spans for name in attributes_of(span)} == {"event.id", "camera", "origin", "outlet"}
        assert [line["trace_id"] for line in service.log_lines("event")] == [TRACE]

        collector.close()
        told = len(phone.seen)
        service.http("POST", "/api/cameras/yard/trigger")
        until(lambda: len(phone.seen) > told)
        until(lambda: service.metric("trace_spans_total", outcome="dropped"))
        service.terminate()
        assert service.wait() == 0
