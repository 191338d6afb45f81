"""A 1Password Connect server on loopback with one account's vaults."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token-of-the-connect-double"


@dataclass
class Connect:
    """`vaults` maps id to name, `items` vault id to items as the API has them; `statuses` go before answers."""

    port: int = 0
    vaults: dict[str, str] = field(default_factory=lambda: {"a" * 26: "Home"})
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    drip: threading.Event = field(default_factory=threading.Event)
    """Set: answers come one byte at a time."""
    body: bytes | None = None
    """What is answered to everything, if set."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, title: str, fields: list[dict[str, Any]], *, vault: str = "a" * 26, **more: Any) -> None:
        items = self.items.setdefault(vault, [])
        items.append({"id": f"item{len(items)}", "title": title, "fields": fields, **more})

    def answer(self, path: str, authorization: str) -> tuple[int, Any]:
        self.asked.append(path)
        if self.statuses:
            return self.statuses.pop(0), {"message": "as told"}
        if authorization != f"Bearer {TOKEN}":
            return 401, {"status": 401, "message": "Invalid token signature"}
        if path == "/v1/vaults":
            return 200, [{"id": key, "name": name, "items": 1} for key, name in self.vaults.items()]
        match = re.fullmatch(r"/v1/vaults/(\w+)/items(?:/(\w+))?", path)
        items = self.items.get(match[1], []) if match else []
        if match and match[2]:
            return next(((200, item) for item in items if item["id"] == match[2]), (404, {"message": "no item"}))
        # The list has no fields: a client that reads them there is wrong.
        return 200, [{key: value for key, value in item.items() if key != "fields"} for item in items]


@contextmanager
def connect_double() -> Iterator[Connect]:
    """A running one, on a port that the system chooses."""
    double = Connect()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, answer = double.answer(self.path, self.headers.get("Authorization", ""))
            body = json.dumps(answer).encode() if double.body is None else double.body
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", f"{double.url}{self.path}")
            self.end_headers()
            if not double.drip.is_set():
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if over.wait(0.05):
                    return

        def log_message(self, *_: object) -> None:
            """Tests stay quiet."""

    over = threading.Event()
    server = _Server(("127.0.0.1", 0), Handler)
    double.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""
