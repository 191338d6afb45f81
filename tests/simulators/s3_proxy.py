"""A proxy in front of an S3 server, for what networks do: 503, hangs, lost answers, wrong bytes."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OK, BUSY, HANG, LOST, ALTERED, CONDITIONAL = "ok", "503", "hang", "lost", "altered", "501"
"""Faults: none; SlowDown; no answer; done and not answered; the body changed on its way; no conditional writes."""
HALF, HELD, DRIP = "half", "held", "drip"
"""Half of the body taken, and no more; done and not answered for a long time; a byte of an answer now and then."""
CUT, TRICKLE = "cut", "trickle"
"""Half of the answer's body, and the connection's end; all of its head, and a byte of its body now and then."""

_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass
class S3Proxy:
    """Takes one fault of `faults` for each request; after them `always`. A fault `code:status` is that refusal."""

    port: int = 0
    faults: deque[str] = field(default_factory=deque)
    uploads: deque[str] = field(default_factory=deque)
    """The same for each PUT; these come first."""
    always: str = OK
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and fault of each request."""
    held: int = 0
    """Uploads that stand still: half taken, or done and not answered."""
    released: threading.Event = field(default_factory=threading.Event)
    """Set, it lets go of what hangs."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def s3_proxy(upstream: tuple[str, int]) -> Iterator[S3Proxy]:
    """A running one, on a port that the system chooses."""
    proxy = S3Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            fault = self._fault()
            proxy.seen.append((self.command, self.path, fault))
            body = self.rfile.read(size // 2 if fault == HALF else size)
            if fault == HALF:
                self._hold()
            elif fault == HANG:
                proxy.released.wait(60)
                self.close_connection = True
            elif fault == DRIP:
                self._drip()
            elif fault == BUSY:
                self._refuse("SlowDown", 503)
            elif fault == CONDITIONAL and "If-None-Match" in self.headers:
                self._refuse("NotImplemented", 501)
            elif ":" in fault:
                code, _, status = fault.partition(":")
                self._refuse(code, int(status))
            else:
                self._forward(_altered(body) if fault == ALTERED else body, fault, answer=fault not in (LOST, HELD))
                if fault == HELD:
                    self._hold()

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 - names given by http.server

        def _fault(self) -> str:
            if self.command == "PUT" and proxy.uploads:
                return proxy.uploads.popleft()
            return proxy.faults.popleft() if proxy.faults else proxy.always

        def _hold(self) -> None:
            proxy.held += 1
            proxy.released.wait(60)
            self.close_connection = True

        def _drip(self) -> None:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not proxy.released.wait(0.05):
                self.wfile.write(b"x")

        def _refuse(self, code: str, status: int) -> None:
            body = f"<Error><Code>{code}</Code><Message>as told</Message></Error>".encode()
            self._answer(status, [("Content-Type", "application/xml")], body)

        def _forward(self, body: bytes, fault: str, *, answer: bool) -> None:
            connection = http.client.HTTPConnection(*upstream, timeout=20)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("expect", "connection")}
            connection.request(self.command, self.path, body, headers)
            got = connection.getresponse()
            data = got.read()
            connection.close()
            if answer:
                kept = [(k, v) for k, v in got.getheaders() if k.lower() not in _HOP_BY_HOP]
                length = got.getheader("Content-Length")
                self._answer(got.status, kept, data, length=length, shown={CUT: len(data) // 2, TRICKLE: 0}.get(fault))
                if fault == TRICKLE:
                    self._trickle(data)
            else:
                self.close_connection = True

        def _trickle(self, data: bytes) -> None:
            for byte in data:
                if proxy.released.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))

        def _answer(
            self,
            status: int,
            headers: list[tuple[str, str]],
            body: bytes,
            length: str | None = None,
            shown: int | None = None,
        ) -> None:
            """`shown`: so many bytes of the body, and then the connection's end; all of it unless given."""
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            head = self.command == "HEAD"
            self.send_header("Content-Length", length if head and length else str(0 if head else len(body)))
            self.end_headers()
            if not head:
                self.wfile.write(body[:shown])
            self.close_connection = self.close_connection or shown is not None

        def log_message(self, *_: object) -> None:
            """Tests look at `seen`."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _altered(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1]) if body else body
