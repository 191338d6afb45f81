"""A double of a collector of traces: it takes OTLP over HTTP, and keeps what it was sent."""

from __future__ import annotations

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Listens on a free port of this machine until it is closed."""

    def __init__(self, status: int = 200) -> None:
        """`status`: what it answers."""
        self.requests: queue.SimpleQueue[tuple[str, dict[str, str], Any]] = queue.SimpleQueue()
        """Path, headers and decoded body of each."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = ExportTraceServiceRequest.FromString(body)
                collector.requests.put((self.path, dict(self.headers), said))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def next_request(self, timeout: float = 10.0) -> tuple[str, dict[str, str], Any]:
        """The next one that comes. Raises `queue.Empty`."""
        return self.requests.get(timeout=timeout)

    def next_spans(self, timeout: float = 10.0) -> list[Any]:
        """The spans of the next request."""
        _path, _headers, said = self.next_request(timeout)
        return [span for resource in said.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def attributes_of(described: Any) -> dict[str, object]:
    """The attributes of a span or of a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in described.attributes}
