"""An HTTP server on loopback that keeps what it is asked and answers as told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)


@dataclass
class HttpDouble:
    """`answer` gives the status of each answer; while `hold` is cleared every answer waits."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[Seen], int] = lambda _: 200
    hold: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def http_double() -> Iterator[HttpDouble]:
    """A running one, on a port that the system chooses."""
    double = HttpDouble()
    double.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, self.path, dict(self.headers), body)
            double.seen.append(seen)
            double.hold.wait(60)
            self.send_response(double.answer(seen))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        do_GET = do_POST = _answer  # noqa: N815 - names given by http.server

        def log_message(self, *_: object) -> None:
            """Tests look at `seen`."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
