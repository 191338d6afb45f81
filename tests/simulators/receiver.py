"""A receiver of webhooks on loopback that remembers what came, and hangs, breaks off or refuses when told to.

`python -m tests.simulators.receiver --port 0` prints its port, then serves until it is ended. `POST /<name>` is taken,
`GET /<name>` answers with the ids that came, in their order. A name that begins with `hang` never answers, with `cut`
ends the connection, with a number answers with that status.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

HELD_S = 3600.0


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    came: ClassVar[defaultdict[str, list[str]]] = defaultdict(list)
    lock: ClassVar = threading.Lock()

    def do_POST(self) -> None:
        name = self.path.strip("/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if name.startswith("hang"):
            threading.Event().wait(HELD_S)
        elif name.startswith("cut"):
            self.close_connection = True
        elif name[:3].isdigit():
            self._answer(int(name[:3]), b"")
        else:
            with self.lock:
                self.came[name].append(str(json.loads(body)["event_id"]))
            self._answer(200, b"")

    def do_GET(self) -> None:
        with self.lock:
            ids = list(self.came[self.path.strip("/")])
        self._answer(200, json.dumps(ids).encode())

    def log_message(self, *_: object) -> None:
        """Nothing: thousands come."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    with ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler) as server:
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
