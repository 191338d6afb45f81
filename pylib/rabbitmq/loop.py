"""A thread that owns one connection to the broker and reconnects whenever it is lost."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pylib.rabbitmq.broker import Broker, explain, limited
from pylib.runtime.reconnection import Reconnection
from pylib.runtime.threads import ManagedThread

SETUP_S = 30.0
"""Seconds in which a connection has to be in working order."""


class BrokerLoop(ManagedThread):
    """Connects, serves, and reconnects until it is stopped, with backoff and jitter."""

    def __init__(self, name: str, broker: Broker) -> None:
        super().__init__(name)
        self._broker = broker
        self._up = threading.Event()
        self._end_limit: Callable[[], None] = lambda: None
        self._reconnection = Reconnection(broker=broker.address, thread=name)

    @property
    def connected(self) -> bool:
        """Whether it is in working order: connected, everything declared."""
        return self._up.is_set()

    @abstractmethod
    def _serve(self, connection: Any) -> None:
        """Use the connection until `stopping`, or raise; call `_connected` when all is set up."""

    def _disconnected(self) -> None:
        """The connection of `_serve` is lost."""

    def _unreachable(self) -> None:
        """An attempt to connect has failed."""

    def run(self) -> None:
        while not self.stopping.is_set():
            self.beat()
            self._reconnection.begins()
            try:
                self._session()
            except Exception as error:  # noqa: BLE001 - whatever broke the connection, the remedy is a new one
                self._wait(0.0 if self.stopping.is_set() else self._reconnection.lost(explain(error)))

    def _session(self) -> None:
        try:
            connection = self._broker.connect(self.name)
        except Exception:
            self._unreachable()
            raise
        self._end_limit = limited(connection, SETUP_S)
        try:
            self._serve(connection)
        finally:
            self._up.clear()
            self._disconnected()
            with suppress(Exception):
                connection.close()

    def _connected(self) -> None:
        self._end_limit()
        self._reconnection.connected()
        self._up.set()

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.stopping.wait(min(left, 5.0)):
            self.beat()
