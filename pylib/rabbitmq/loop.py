"""A thread that owns one connection to the broker and reconnects whenever it is lost."""

from __future__ import annotations

import random
import threading
import time
from abc import abstractmethod
from contextlib import suppress
from typing import Any

import structlog

from pylib.errors import Failure, Permanent
from pylib.rabbitmq.broker import Broker, explain
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

FIRST_DELAY = 0.5
GROWTH = 1.5
LAST_DELAY = 30.0
REFUSED_DELAY = 60.0
"""Seconds until a refused connection is tried again: a person has to correct it."""
REMIND_EVERY = 60.0
STEADY_AFTER = 30.0
"""Seconds a connection has to last before the next loss counts as a first one."""


class BrokerLoop(ManagedThread):
    """Connects, serves, and reconnects until it is stopped, with backoff and jitter."""

    def __init__(self, name: str, broker: Broker) -> None:
        super().__init__(name)
        self._broker = broker
        self._up = threading.Event()
        self._attempts = 0
        self._reminded: float | None = None
        self._refusal = ""

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
            started = time.monotonic()
            try:
                self._session()
            except Exception as error:  # noqa: BLE001 - whatever broke the connection, the remedy is a new one
                if time.monotonic() - started > STEADY_AFTER:
                    self._attempts = 0
                self._wait(self._report(error))

    def _session(self) -> None:
        try:
            connection = self._broker.connect(self.name)
        except Exception:
            self._unreachable()
            raise
        try:
            self._serve(connection)
        finally:
            self._up.clear()
            self._disconnected()
            with suppress(Exception):
                connection.close()

    def _connected(self) -> None:
        log.info("broker connected", broker=self._broker.address, thread=self.name)
        self._reminded = None
        self._refusal = ""
        self._up.set()

    def _report(self, error: Exception) -> float:
        """Log what happened, once and then at most once a minute; returns the seconds to wait."""
        if self.stopping.is_set():
            return 0.0
        failure = explain(error)
        if isinstance(failure, Permanent):
            if str(failure) != self._refusal:
                self._refusal = str(failure)
                self._log(log.error, "broker refuses", failure)
            return REFUSED_DELAY
        now = time.monotonic()
        if self._reminded is None or now - self._reminded >= REMIND_EVERY:
            self._reminded = now
            self._log(log.warning, "broker unreachable, trying again", failure)
        delay: float = min(LAST_DELAY, FIRST_DELAY * GROWTH**self._attempts) * random.uniform(0.5, 1.0)
        self._attempts = min(self._attempts + 1, 20)
        return delay

    def _log(self, method: Any, event: str, failure: Failure) -> None:
        method(event, broker=self._broker.address, thread=self.name, reason=str(failure))

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.stopping.wait(min(left, 5.0)):
            self.beat()
