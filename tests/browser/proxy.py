"""A reverse proxy under a path, as people put one in front: with or without that path in what it passes on."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.broker import free_ports

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}


class Proxy:
    """Serves `http://127.0.0.1:<port><prefix>/...` from another port of this machine."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.strips = True
        """Whether the upstream server is asked for `/x` or for `<prefix>/x`; can be changed while it runs."""
        self.upstream = 0
        """The port behind it."""
        (self.port,) = free_ports(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where people find the album, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def target(self, path: str) -> str | None:
        """What to ask the upstream server for; None for what is not below the prefix."""
        if path != self.prefix and not path.startswith(self.prefix + "/"):
            return None
        return (path.removeprefix(self.prefix) or "/") if self.strips else path

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Passes one request on, and the answer back as it comes."""

        def pass_on(self) -> None:
            target = proxy.target(self.path)
            if target is None:
                self.send_error(404, "not below the prefix")
                return
            upstream = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=60)
            try:
                upstream.request(self.command, target, self._body(), self._forwarded())
                self._answer(upstream.getresponse())
            except (ConnectionError, TimeoutError):
                self.close_connection = True  # the viewer has gone, or the service has been stopped
            finally:
                upstream.close()

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _forwarded(self) -> dict[str, str]:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            if proxy.strips:
                headers["Host"] = f"127.0.0.1:{proxy.upstream}"  # what nginx does unless it is told otherwise
            return headers | {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "http"}

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while chunk := answer.read1(65_536):
                self.wfile.write(chunk)
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing: the service has a log."""

    for method in ("GET", "HEAD", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.pass_on)
    return Handler
