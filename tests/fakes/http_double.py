"""An HTTP server on loopback that keeps what it is asked and answers as told."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
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


@dataclass(frozen=True)
class Reply:
    """An answer that is more than its status."""

    status: int = 200
    """0 to close the connection without an answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] | None = None
    """Pieces, which the end of the connection ends; a short body with its length unless given."""


@dataclass
class HttpDouble:
    """`answer` gives the status of each answer, or all of it; while `hold` is cleared every answer waits."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[Seen], int | Reply] = lambda _: 200
    hold: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def http_double(*, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[HttpDouble]:
    """A running one, on a port that the system chooses unless it is given."""
    double = HttpDouble()
    double.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, self.path, dict(self.headers), body)
            double.seen.append(seen)
            double.hold.wait(60)
            told = double.answer(seen)
            reply = told if isinstance(told, Reply) else Reply(told)
            if not reply.status:
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.body is None:
                self.send_header("Content-Length", "2")
            self.end_headers()
            for piece in (b"OK",) if reply.body is None else reply.body:
                self.wfile.write(piece)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names given by http.server

        def log_message(self, *_: object) -> None:
            """Tests look at `seen`."""

    server = _Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
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
