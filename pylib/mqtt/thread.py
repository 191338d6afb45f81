"""A thread that owns a connection to an MQTT broker."""

from __future__ import annotations

from collections.abc import Callable

from pylib.mqtt.broker import Outgoing
from pylib.mqtt.connection import Connection
from pylib.runtime.threads import ManagedThread

TICK_S = 1.0


class ConnectionThread(ManagedThread):
    """Lets its connection run, and calls `tick` in between."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        tick: Callable[[], None] = lambda: None,
        farewell: Outgoing | None = None,
    ) -> None:
        """`tick`: called about once a second, and after each message; `farewell`: published at the end."""
        super().__init__(name)
        self._connection = connection
        self._tick = tick
        self._farewell = farewell

    def run(self) -> None:
        while not self.stopping.is_set():
            self.beat()
            self._connection.pump(TICK_S)
            self._tick()
        self._connection.close(farewell=self._farewell)

    def stop(self) -> None:
        super().stop()
        self._connection.wake()
