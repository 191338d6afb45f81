"""Sends log lines to a syslog server, from a thread of its own so that a dead server delays nothing."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Full, Queue
from typing import Literal
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger(__name__)

_DAEMON_FACILITY = 3  # RFC 5424, table 1
_SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG_SEVERITY = 7
_MAX_BYTES = 8192  # what rsyslog takes by default, and well within a datagram
_TIMEOUT = 5.0
_FIRST_RETRY = 0.25


@dataclass(frozen=True, slots=True)
class SyslogTarget:
    """The address of a syslog server."""

    kind: Literal["udp", "tcp", "unix"]
    host: str = ""
    port: int = 514
    path: str = ""

    @classmethod
    def parse(cls, setting: str) -> SyslogTarget:
        """From `udp://host[:514]`, `tcp://host[:514]` or a socket's path (`/dev/log`); else ValueError."""
        if setting.startswith("/"):
            return cls("unix", path=setting)
        wrong = ValueError("syslog is udp://host:514, tcp://host:514 or /dev/log")
        try:
            parts = urlsplit(setting)
            host, port = parts.hostname, parts.port or 514
        except ValueError:
            raise wrong from None
        if not host:
            raise wrong
        if parts.scheme == "udp":
            return cls("udp", host, port)
        if parts.scheme == "tcp":
            return cls("tcp", host, port)
        raise wrong


class SyslogHandler(logging.Handler):
    """Queues formatted lines (at most `capacity`, the newest are dropped) for a thread that sends them.

    Over the network in the form of RFC 5424, one line a datagram or, over TCP, ended by a newline (RFC 6587,
    3.4.2); to a local socket as the C library writes it.
    """

    def __init__(self, target: SyslogTarget, *, program: str, capacity: int = 1000) -> None:
        super().__init__()
        self._target = target
        self._program = re.sub(r"[^!-~]", "_", program)[:48] or "-"
        self._host = re.sub(r"[^!-~]", "_", socket.gethostname())[:255] or "-"
        self._queue: Queue[bytes] = Queue(capacity)
        self._socket: socket.socket | None = None
        self._stopping = threading.Event()
        self._dropped = 0
        self._warned = False
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record; never waits and never raises."""
        try:
            self._queue.put_nowait(self._frame(record))
        except Full:
            self._dropped += 1
        except Exception:  # noqa: BLE001 - a log line is not worth an exception in the code that wrote it
            self.handleError(record)

    def close(self) -> None:
        """Give queued lines one second to leave, then close."""
        self._stopping.set()
        with suppress(Full):  # full: the thread is awake
            self._queue.put_nowait(b"")
        self._thread.join(1.0)
        super().close()

    def _frame(self, record: logging.LogRecord) -> bytes:
        severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _DEBUG_SEVERITY)
        priority, pid = _DAEMON_FACILITY * 8 + severity, os.getpid()
        if self._target.kind == "unix":
            head = f"<{priority}>{self._program}[{pid}]: "
        else:
            moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
            head = f"<{priority}>1 {moment} {self._host} {self._program} {pid} - - "
        line = (head + self.format(record)).replace("\n", "\\n").encode("utf-8", "backslashreplace")[:_MAX_BYTES]
        return line + b"\n" if self._target.kind == "tcp" else line

    def _run(self) -> None:
        wait = _FIRST_RETRY
        while (line := self._next()) is not None:
            while not self._sent(line):
                if self._stopping.wait(wait):
                    return
                wait = min(wait * 2, 60.0)
            wait = _FIRST_RETRY
        self._disconnect()

    def _next(self) -> bytes | None:
        """The next line; None when stopping and nothing is left."""
        while not (self._stopping.is_set() and self._queue.empty()):
            if line := self._queue.get():
                return line
        return None

    def _sent(self, line: bytes) -> bool:
        try:
            if self._socket is None or self._hung_up():
                self._disconnect()
                self._socket = self._connect()
            self._socket.sendall(line)
        except OSError as error:
            self._disconnect()
            self._warn(error)
            return False
        self._warned = False
        if self._dropped:
            lost, self._dropped = self._dropped, 0
            log.warning("syslog was unreachable too long", lines_lost=lost)
        return True

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            log.warning("syslog does not answer", reason=error.strerror or type(error).__name__)

    def _connect(self) -> socket.socket:
        if self._target.kind == "tcp":
            return socket.create_connection((self._target.host, self._target.port), timeout=_TIMEOUT)
        if self._target.kind == "unix":
            return _connected(socket.AF_UNIX, self._target.path)
        family, _, _, _, address = socket.getaddrinfo(self._target.host, self._target.port, type=socket.SOCK_DGRAM)[0]
        return _connected(family, address)

    def _hung_up(self) -> bool:
        """Whether a TCP peer closed: without asking, the first line after it would be lost in silence."""
        if self._target.kind != "tcp" or self._socket is None:
            return False
        self._socket.setblocking(False)
        try:
            return self._socket.recv(1) == b""
        except BlockingIOError:
            return False
        finally:
            self._socket.settimeout(_TIMEOUT)

    def _disconnect(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None


def _connected(family: int, address: object) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_DGRAM)
    try:
        connection.settimeout(_TIMEOUT)
        connection.connect(address)  # type: ignore[arg-type]
    except OSError:
        connection.close()
        raise
    return connection
