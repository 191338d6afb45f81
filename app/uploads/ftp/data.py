"""FTP data connections: how they are opened, and what becomes of a file when one ends."""

from __future__ import annotations

import errno
import sys
import time
from typing import Any

import structlog
from pyftpdlib.exceptions import _FileReadWriteError
from pyftpdlib.handlers import DTPHandler, FTPHandler

from app.uploads.ftp.storage import IncomingFile, StoreRefused
from pylib.net.addresses import same_home
from pylib.net.limiter import Pace
from pylib.net.proxy_protocol import Listener

log = structlog.get_logger(__name__)

DRAIN_READS = 128
"""Of 64 kB: more than the largest receive buffer that Linux gives a socket unasked (6 MB)."""


class NoPassivePort(Exception):
    """All ports of the passive range are waiting for a connection."""


class Passive(FTPHandler.passive_dtp):  # type: ignore[misc]
    """Waits for the client's data connection.

    It may come from another address than the control connection (a camera with cable and radio, a network with
    two ways out) as long as both are of one home network: the same private /24 or /64. From anywhere else it is
    refused, or a stranger who guesses the port could put a picture in a camera's place. In active mode we
    connect to the client's own address only (RFC 2577, bounce attacks).
    """

    _tried = False

    def create_socket(self, family: int, kind: int) -> None:
        listener = Listener(family, kind)
        listener.behind(self.cmd_channel.balancers)
        listener.setblocking(False)
        self.set_socket(listener)

    def bind(self, address: tuple[Any, ...]) -> None:
        # pyftpdlib goes on with any port when the range is used up. A container does not map that one, and the
        # client would hang where now it gets an error at once and tries again.
        if address[1] != 0:
            self._tried = True
        elif self._tried:
            self.close()
            raise NoPassivePort
        super().bind(address)

    def handle_accepted(self, sock: Any, address: tuple[Any, ...]) -> None:
        remote = self.cmd_channel.remote_ip
        known = remote if same_home(remote, address[0]) else address[0]
        super().handle_accepted(sock, (known, *address[1:]))


class Receiving(DTPHandler):  # type: ignore[misc]
    """One data connection. Bytes are stored as they arrive, whatever TYPE demands, and settled before the reply."""

    timeout = 0  # pyftpdlib's finds a stall only after once to twice that time
    file_obj: Any

    def __init__(self, sock: Any, session: Any) -> None:
        super().__init__(sock, session)
        self._pace = Pace(0.75 * session.stall_timeout, time.monotonic())
        if self.connected:
            tick = session.stall_timeout / 8
            self._idler = self.ioloop.call_every(tick, self._look, _errback=self.handle_error)

    def enable_receiving(self, _type: str, cmd: str) -> None:
        super().enable_receiving("i", cmd)

    def handle_error(self) -> None:
        """Called inside the `except` of whatever went wrong."""
        error = sys.exc_info()[1]
        if not isinstance(error, _FileReadWriteError):
            super().handle_error()
            return
        reason = error.__cause__.errno or 0 if isinstance(error.__cause__, OSError) else 0
        if isinstance(self.file_obj, IncomingFile):
            self.file_obj.discard()
        self._resp = (_REPLIES.get(reason, "451 Cannot store the file; try again."), log.debug)
        self.close()

    def handle_close(self) -> None:
        """Called inside an `except` when the connection was reset: then not all that was sent need have arrived."""
        reset = self.receive and not self._closed and isinstance(sys.exc_info()[1], OSError)
        if reset and not self.file_obj.looks_complete:
            self._resp = (f"426 Connection reset after {self.tot_bytes_received} bytes; send it again.", log.debug)
            self.close()
        else:
            super().handle_close()

    def drain(self) -> None:
        """Store what has arrived already: the client has closed the control connection."""
        for _ in range(DRAIN_READS if self.receive and not self._closed else 0):
            before = self.tot_bytes_received
            self.handle_read_event()
            if self._closed or self.tot_bytes_received == before:
                return

    def close(self) -> None:
        if self.receive and not self._closed and isinstance(self.file_obj, IncomingFile):
            try:
                self.file_obj.settle(finished=self.transfer_finished)
            except StoreRefused as refused:
                self._resp = (str(refused), log.debug)
        super().close()

    def _look(self) -> None:
        """Close the connection when it was silent for three to four quarters of the limit, or slow for twice that."""
        count = self.get_transmitted_bytes()
        if self._pace.stalled(count, time.monotonic()):
            log.warning("ftp upload stalled", address=self.cmd_channel.remote_ip, received=count)
            self.cmd_channel.count("stalled")
            self._resp = ("421 Data connection timed out.", log.debug)
            session = self.cmd_channel
            self.close()
            session.close_when_done()


_REPLIES = {
    errno.EDQUOT: "552 Quota exceeded; the file is not kept.",
    errno.ENOSPC: "452 Insufficient storage space; the file is not kept.",
}
