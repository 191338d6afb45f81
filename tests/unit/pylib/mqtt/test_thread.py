"""A connection that runs says so: one that does not beat is taken for stuck, and started again."""

from __future__ import annotations

from typing import Any

from pylib.mqtt.thread import TICK_S, ConnectionThread


class Connection:
    """Ends its thread at the third turn."""

    def __init__(self) -> None:
        self.thread: ConnectionThread | None = None
        self.done: list[object] = []

    def pump(self, seconds: float) -> None:
        assert self.thread is not None
        self.done.append(seconds)
        if len(self.done) == 3:
            self.thread.stopping.set()

    def close(self, *, farewell: object) -> None:
        self.done.append(farewell)


class Beating(ConnectionThread):
    """Counts its beats."""

    beats = 0

    def beat(self) -> None:
        self.beats += 1


def test_it_beats_at_each_turn_and_ends_with_its_farewell() -> None:
    connection: Any = Connection()
    ticks: list[int] = []
    connection.thread = thread = Beating("mqtt", connection, tick=lambda: ticks.append(thread.beats))
    thread.run()
    assert ticks == [1, 2, 3]
    assert connection.done == [TICK_S] * 3 + [None]
