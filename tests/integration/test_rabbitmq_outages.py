"""What becomes of messages while RabbitMQ is killed and restarted."""

from __future__ import annotations

import itertools
import threading

import pytest

from pylib.errors import Transient
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.topology import Exchange
from tests.broker import Broker
from tests.integration.rabbit import KEY, Taken, eventually, listening, subscription


class Ledger(threading.Thread):
    """Publishes numbers one after the other, and writes down which were confirmed."""

    def __init__(self, publisher: ConfirmedPublisher, exchange: str) -> None:
        super().__init__()
        self._publisher = publisher
        self._exchange = exchange
        self.enough = threading.Event()
        self.confirmed: list[str] = []
        self.problems: set[str] = set()

    def run(self) -> None:
        for number in itertools.count():
            if self.enough.wait(0.005):
                return
            try:
                self._publisher.publish(
                    self._exchange, KEY, str(number).encode(), message_id=str(number), mandatory=True
                )
            except Transient as error:
                self.problems.add(error.code)
            else:
                self.confirmed.append(str(number))


@pytest.mark.parametrize("how", ["kill", "stop"])
@pytest.mark.long
def test_both_ends_recover_and_nothing_confirmed_is_lost(own_broker: Broker, name: str, how: str) -> None:
    exchange = Exchange(f"{name}_control", "direct")
    publisher = ConfirmedPublisher("publisher", own_broker.address, exchanges=[exchange])
    publisher.start()
    with listening(own_broker.address, subscription(name)) as sink:
        eventually(lambda: publisher.connected)
        ledger = Ledger(publisher, exchange.name)
        ledger.start()
        before = sink.take(50)
        sink.done(*before[::2])
        eventually(lambda: len(sink.settled) == 25)

        try:
            getattr(own_broker, how)()
            sink.done(before[1])  # too late: that connection is gone
            eventually(lambda: not publisher.connected and not sink.listener.connected)
            late = ConfirmedPublisher("late", own_broker.address)
            late.start()
        finally:
            own_broker.start()

        eventually(lambda: publisher.connected and sink.listener.connected and late.connected, timeout=40)
        some = len(ledger.confirmed)
        eventually(lambda: len(ledger.confirmed) > some + 20)
        ledger.enough.set()
        ledger.join()
        for end in (publisher, late):
            end.stop()
            assert end.join(60)
        after = take_all(sink.take)

    again = [one for one in after if one.redelivered]
    assert {one.body for one in before[1::2]} <= {one.body for one in again}
    assert not {one.body for one in before[::2]} & {one.body for one in after}, "acknowledged, yet again there"
    assert all(one.queued for one in again)
    assert set(ledger.confirmed) <= {one.body for one in (*before, *after)}
    assert ledger.problems <= {"broker_away", "unroutable", "not_found"}


def take_all(take: object) -> list[Taken]:
    taken: list[Taken] = []
    assert callable(take)
    while more := take(1000, timeout=1.0):
        taken += more
    return taken
