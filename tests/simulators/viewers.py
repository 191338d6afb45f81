"""Browsers that have the album open: each follows its stream of cards and reads what comes."""

from __future__ import annotations

import argparse
import selectors
import socket


def main() -> None:
    """Follow until killed; prints one line once all follow."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.viewers", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the album, on this machine")
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    selector = selectors.DefaultSelector()
    for _ in range(arguments.count):
        selector.register(_viewer(arguments.port), selectors.EVENT_READ)
    print(arguments.port, flush=True)
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv(65_536):
                raise SystemExit("a stream has ended")


def _viewer(port: int) -> socket.socket:
    viewer = socket.create_connection(("127.0.0.1", port), timeout=30)
    viewer.sendall(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    head = viewer.recv(4096)
    assert b" 200 " in head, head
    return viewer


if __name__ == "__main__":
    main()
