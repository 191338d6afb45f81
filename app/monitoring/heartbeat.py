"""The heartbeat: publishes every few seconds that the service runs, and for which devices it speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from app import wire
from app.wire import HeartbeatDevice
from pylib.errors import Failure

log = structlog.get_logger(__name__)

EVERY_S = 5.0
"""Seconds from one to the next; the first one comes with the connection."""


class Heartbeat:
    """Sends one heartbeat a call. A missed one is not made up for: the next has the same content."""

    def __init__(
        self, send: Callable[[bytes], None], *, inputs: Sequence[HeartbeatDevice], outputs: Sequence[HeartbeatDevice]
    ) -> None:
        self._send = send
        self._body = wire.heartbeat(inputs=inputs, outputs=outputs)

    def beat(self) -> None:
        try:
            self._send(self._body)
        except Failure as error:
            log.debug("no heartbeat", reason=str(error))
