"""A TCP connection that can be cut or stand still: what lies behind it is away, until it is mended."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Line:
    """Passes bytes on to a port, of this machine unless `host` is given.

    Cut, it ends what it carries and refuses all that comes.

    As a black hole it keeps all connections, takes new ones, and lets nothing through; that comes when it is mended,
    as TCP sends again what nobody confirmed.
    """

    def __init__(self, upstream: int, *, host: str = "127.0.0.1") -> None:
        self._upstream = host, upstream
        self._lock = threading.Lock()
        self._cut = False
        self._flows = threading.Event()
        self._flows.set()
        self._carried: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Line:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        self._flows.set()

    def cut(self) -> None:
        """As if the cable were pulled."""
        with self._lock:
            self._cut = True
            carried, self._carried = self._carried, set()
        for end in carried:
            _end(end)

    def stall(self) -> None:
        """Be a black hole."""
        self._flows.clear()

    def mend(self) -> None:
        """From now on it passes on again."""
        with self._lock:
            self._cut = False
        self._flows.set()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        self._flows.wait()
        try:
            far = socket.create_connection(self._upstream, timeout=5)
            far.settimeout(None)
        except OSError:
            _end(near)
            return
        with self._lock:
            cut = self._cut
            if not cut:
                self._carried |= {near, far}
        if cut:
            _end(near)
            _end(far)
            return
        threading.Thread(target=self._pump, args=(far, near), daemon=True).start()
        self._pump(near, far)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                self._flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _end(source)
            _end(sink)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        end.shutdown(socket.SHUT_RDWR)
    end.close()
