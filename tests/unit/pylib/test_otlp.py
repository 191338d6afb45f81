"""Spans on their way to a collector: what it gets, and what becomes of them when it is not there."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from pylib import otlp
from pylib.otlp import OtlpExport
from pylib.settings.credentials import Secret
from pylib.tracing import Span, TraceContext
from tests.fakes.collector import Collector, attributes_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


def span(name: str = "fetch", *, problem: str = "") -> Span:
    context = TraceContext(TRACE, "b7ad6b7169203331", sampled=True)
    attributes: dict[str, str | float] = {"camera": "Yard Camera", "delay_s": 0.5}
    return Span(name, context, "00f067aa0ba902b7", attributes, 1_000, 2_000, "CONSUMER", problem)


class Stand:
    """An export with what it counted."""

    def __init__(self, endpoint: str, *, queued: int = otlp.QUEUED) -> None:
        self.counted: Counter[str] = Counter()
        self.export = OtlpExport(
            endpoint,
            headers={"Authorization": Secret("Bearer x")},
            resource={"service.name": "snapshot-processor"},
            count=lambda outcome, number: self.counted.update({outcome: number}),
            queued=queued,
        )

    def end(self) -> None:
        self.export.stop()
        assert self.export.join(30)


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def test_a_collector_gets_spans_as_the_protocol_has_them(collector: Collector) -> None:
    stand = Stand(collector.url)
    stand.export.put(span(problem="timeout"))
    stand.export.start()
    stand.end()
    path, headers, said = collector.next_request()
    assert (path, headers["Content-Type"], headers["Authorization"]) == (
        "/v1/traces",
        "application/x-protobuf",
        "Bearer x",
    )
    (resource,) = said.resource_spans
    assert attributes_of(resource.resource) == {"service.name": "snapshot-processor"}
    (got,) = resource.scope_spans[0].spans
    assert (got.trace_id.hex(), got.span_id.hex(), got.parent_span_id.hex()) == (
        TRACE,
        "b7ad6b7169203331",
        "00f067aa0ba902b7",
    )
    assert (got.name, got.start_time_unix_nano, got.end_time_unix_nano) == ("fetch", 1_000, 2_000)
    assert (got.kind, got.status.code, got.status.message) == (got.SPAN_KIND_CONSUMER, 2, "timeout")
    assert attributes_of(got) == {"camera": "Yard Camera", "delay_s": 0.5}
    assert stand.counted == {"exported": 1}


def test_all_that_waits_is_sent_at_the_end(collector: Collector) -> None:
    stand = Stand(collector.url)
    stand.export.start()
    for number in range(otlp.BATCH + 1):
        stand.export.put(span(str(number)))
    stand.end()
    assert stand.counted == {"exported": otlp.BATCH + 1}
    names: list[str] = []
    while not collector.requests.empty():
        names += [one.name for one in collector.next_spans()]
    assert names == [str(number) for number in range(otlp.BATCH + 1)]


def test_the_queue_is_bounded_and_what_is_dropped_is_counted() -> None:
    stand = Stand("http://127.0.0.1:9", queued=3)
    for _ in range(5):
        stand.export.put(span())
    assert stand.counted == {"dropped": 2}
    stand.export.start()
    stand.end()
    assert stand.counted == {"dropped": 5}


@pytest.mark.parametrize("status", [301, 400, 503])
def test_what_a_collector_refuses_is_dropped_and_said_once(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    collector = Collector(status)
    stand = Stand(collector.url)
    for _ in range(2 * otlp.BATCH):
        stand.export.put(span())
    stand.export._send()
    assert stand.counted == {"dropped": otlp.BATCH}  # the others wait for the next try
    stand.export._send()
    assert stand.counted == {"dropped": 2 * otlp.BATCH}
    assert capsys.readouterr().out.count(f"it answered {status}") == 1
    collector.close()


def test_a_span_that_the_protocol_does_not_have_takes_nothing_with_it(collector: Collector) -> None:
    stand = Stand(collector.url)
    stand.export.put(span("\ud800"))
    stand.export._send()
    stand.export.put(span("fine"))
    stand.export._send()
    assert stand.counted == {"dropped": 1, "exported": 1}


def test_a_collector_that_never_answers_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as hole:
        stand = Stand(f"http://127.0.0.1:{hole.getsockname()[1]}")
        for _ in range(4 * otlp.BATCH):
            stand.export.put(span())
        stand.export.start()
        connection, _ = hole.accept()  # it is at its first request
        stand.end()
        connection.close()
        hole.settimeout(0)
        with pytest.raises(BlockingIOError):  # and asked for no second one
            hole.accept()
    assert stand.counted == {"dropped": 4 * otlp.BATCH}
