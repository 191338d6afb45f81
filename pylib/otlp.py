"""Spans to a collector, by OpenTelemetry's protocol (OTLP) over HTTP. Its package is loaded when an export is made.

The spans are ours, and so is their way out: OpenTelemetry's own library would take ten times the processor time, and
13 MB more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import structlog

from pylib.net.http_client import HttpClient, Unanswered
from pylib.runtime.threads import ManagedThread
from pylib.settings.credentials import Secret
from pylib.tracing import Attribute, Span

log = structlog.get_logger(__name__)

QUEUED = 4096
"""Spans that wait at most, those of some 500 events; further ones are dropped."""
BATCH = 512
"""Spans of one request."""
EVERY_S = 1.0
"""Seconds that a span waits for others."""
TIMEOUT_S = 1.0
"""Seconds of one request, which is also how long the end of the service waits for one."""
REST_S = 10.0
"""Seconds that a collector is left alone after a request that failed; spans wait meanwhile."""
MOST_ANSWER = 65_536
"""Bytes of an answer that are read."""


class OtlpExport(ManagedThread):
    """Sends spans from a bounded queue, and drops what a collector does not take: nothing ever waits for it."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, Secret],
        resource: Mapping[str, Attribute],
        count: Callable[[str, int], None] = lambda _outcome, _spans: None,
        queued: int = QUEUED,
        rest: float = REST_S,
    ) -> None:
        """`endpoint`: where the paths of OTLP begin; `resource`: names this process, in OpenTelemetry's words.

        `count` gets `exported` or `dropped`, and the number of spans. Raises ImportError where the package is not
        installed.
        """
        super().__init__("tracing")
        self._encode = _Encoding(resource)
        self._client = HttpClient(timeout=TIMEOUT_S, most_bytes=MOST_ANSWER)
        self._url = f"{endpoint}/v1/traces"
        self._headers = headers
        self._count = count
        self._most = queued
        self._rest = rest
        self._queue: deque[Span] = deque()
        self._wake = threading.Event()
        self._away = False
        self._next_try = 0.0

    def put(self, span: Span) -> None:
        """Send it soon, or drop it where too many wait. From any thread; returns at once."""
        if len(self._queue) >= self._most:
            self._count("dropped", 1)
            return
        self._queue.append(span)
        if len(self._queue) == BATCH:
            self._wake.set()

    def stop(self) -> None:
        super().stop()
        self._wake.set()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.beat()
            self._wake.wait(EVERY_S)
            self._wake.clear()
            if time.monotonic() >= self._next_try:
                self._send()
        if not self._away:  # else it would only be waited for once more
            self._send()
        if self._queue:
            self._drop(len(self._queue))
        self._client.close()

    def _send(self) -> None:
        """Send what waits: all of it, until a request fails, or as much as the end leaves time for."""
        until = time.monotonic() + TIMEOUT_S
        while self._queue and not (self.stopping.is_set() and time.monotonic() > until):
            self.beat()
            batch = list(islice(self._queue, BATCH))
            problem = self._refusal(batch)
            if problem:
                self._drop(len(batch))
                self._lose(problem)
                return
            self._take(len(batch))
            self._count("exported", len(batch))
            if self._away:
                log.info("traces are taken again")
            self._away = False

    def _refusal(self, batch: Sequence[Span]) -> str:
        """Why the collector has not taken these; empty when it has them."""
        headers = {name: value.get_secret_value() for name, value in self._headers.items()}
        headers["Content-Type"] = "application/x-protobuf"
        try:
            answer = self._client.send("POST", self._url, body=self._encode(batch), headers=headers)
        except Unanswered as error:
            return error.reason
        except Exception:  # a text that the protocol does not have, or a mistake of ours: no event waits for it
            log.exception("spans not sent")
            return "internal_error"
        return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"

    def _lose(self, problem: str) -> None:
        if not self._away:
            log.warning("the collector takes no traces, they are dropped", reason=problem)
        self._away = True
        self._next_try = time.monotonic() + self._rest

    def _drop(self, spans: int) -> None:
        self._take(spans)
        self._count("dropped", spans)

    def _take(self, spans: int) -> None:
        for _ in range(spans):
            self._queue.popleft()


class _Encoding:
    """Spans as the body of a request."""

    def __init__(self, resource: Mapping[str, Attribute]) -> None:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
        from opentelemetry.proto.common.v1 import common_pb2 as common
        from opentelemetry.proto.resource.v1 import resource_pb2
        from opentelemetry.proto.trace.v1 import trace_pb2 as trace

        self._service, self._common, self._trace = service, common, trace
        self._resource = resource_pb2.Resource(attributes=self._attributes(resource))

    def __call__(self, spans: Iterable[Span]) -> bytes:
        trace = self._trace
        scope = trace.ScopeSpans(
            scope=self._common.InstrumentationScope(name=__name__), spans=[self._span(span) for span in spans]
        )
        of_this_process = trace.ResourceSpans(resource=self._resource, scope_spans=[scope])
        body: bytes = self._service.ExportTraceServiceRequest(resource_spans=[of_this_process]).SerializeToString()
        return body

    def _span(self, span: Span) -> Any:
        trace = self._trace
        encoded = trace.Span(
            trace_id=bytes.fromhex(span.context.trace_id),
            span_id=bytes.fromhex(span.context.span_id),
            parent_span_id=bytes.fromhex(span.parent_id),
            name=span.name,
            kind=trace.Span.SpanKind.Value(f"SPAN_KIND_{span.kind}"),
            start_time_unix_nano=span.started,
            end_time_unix_nano=max(span.started, span.ended),
            attributes=self._attributes(span.attributes),
        )
        if span.problem:
            encoded.status.code = trace.Status.STATUS_CODE_ERROR
            encoded.status.message = span.problem
        return encoded

    def _attributes(self, attributes: Mapping[str, Attribute]) -> list[Any]:
        return [self._common.KeyValue(key=key, value=self._value(value)) for key, value in attributes.items()]

    def _value(self, value: Attribute) -> Any:
        if isinstance(value, str):
            return self._common.AnyValue(string_value=value)
        return self._common.AnyValue(double_value=value)
