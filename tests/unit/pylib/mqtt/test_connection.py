"""A connection whose broker refuses, breaks off and sends nonsense, without one."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from pylib.errors import Failure, Transient
from pylib.mqtt.broker import Broker, Outgoing
from pylib.mqtt.connection import Connection, Received
from pylib.mqtt.requests import Request

GRANTED, REFUSED = SimpleNamespace(is_failure=False), SimpleNamespace(is_failure=True)


class FakeClient:
    """paho's client as far as a connection of ours uses it; `script` is what happens at each read."""

    def __init__(self) -> None:
        self._socket, self._other = socket.socketpair()
        self._other.send(b"!" * 100)  # there is always something to read
        self.script: list[Any] = [self.welcome]
        self.reasons: list[Any] = []
        self.acknowledged: list[int] = []
        self.asked: list[str | list[str]] = []
        self.published: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("on_"):
            raise AttributeError(name)
        return lambda *_args, **_options: 0  # what nobody looks at

    def socket(self) -> socket.socket:
        return self._socket

    def want_write(self) -> bool:
        return False

    def loop_read(self) -> int:
        self._socket.recv(1)
        step = self.script.pop(0) if self.script else lambda: 0
        result: int = step() or 0
        return result

    def subscribe(self, topics: list[tuple[str, int]]) -> None:
        assert all(qos == 1 for _, qos in topics)
        self.script.insert(0, lambda: self.on_subscribe(self, None, 1, self.reasons, None))

    def unsubscribe(self, topic: str | list[str]) -> tuple[int, int]:
        self.asked.append(topic)
        mid = len(self.asked)
        self.script.append(lambda: self.on_unsubscribe(self, None, mid, [], None))
        return 0, mid

    def publish(self, topic: str, _payload: bytes, **_options: Any) -> Any:
        self.published.append(topic)
        return SimpleNamespace(mid=len(self.published))

    def ack(self, mid: int, qos: int) -> None:
        assert qos == 1
        self.acknowledged.append(mid)

    def welcome(self) -> None:
        self.on_connect(self, None, SimpleNamespace(session_present=False), GRANTED, None)

    def deliver(self, mid: int, **message: Any) -> None:
        """Hand a message over at the next read."""
        options = {"topic": "in", "payload": b"", "qos": 1, "retain": False, "dup": False, "mid": mid, **message}
        self.script.append(lambda: self.on_message(self, None, SimpleNamespace(**options)))

    def close(self) -> None:
        self._socket.close()
        self._other.close()


class Bench:
    """A connection over a new fake client each time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *gone: str) -> None:
        self.clients: list[FakeClient] = []
        self.received: list[Received] = []
        self.settled: list[str] = []
        self.reasons: list[Any] = [GRANTED]
        self.broken = False
        monkeypatch.setattr(Broker, "client", self._client)
        monkeypatch.setattr(Broker, "open", lambda *_: None)
        self.connection = Connection(
            "mqtt",
            Broker(),
            client_id="me",
            subscriptions=["in", "forbidden"],
            gone=gone,
            on_message=self._receive,
            on_settled=self.settled.extend,
        )

    @property
    def client(self) -> FakeClient:
        return self.clients[-1]

    def pump(self, times: int = 1) -> None:
        for _ in range(times):
            self.connection._retry_at = 0.0
            self.connection.pump(0)

    def _client(self, _client_id: str, **_options: Any) -> FakeClient:
        one = FakeClient()
        one.reasons = self.reasons
        self.clients.append(one)
        return one

    def _receive(self, message: Received) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.received.append(message)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    for client in bench.clients:
        client.close()


def test_a_topic_that_the_broker_keeps_from_us_is_said_once_and_the_others_work(bench: Bench) -> None:
    bench.reasons = [GRANTED, REFUSED]
    with capture_logs() as logs:
        bench.pump(2)
        assert bench.connection.connected
        bench.client.script = [lambda: 7]
        bench.pump(3)
    assert bench.connection.connected
    assert len(bench.clients) == 2
    assert bench.connection.refused == {"forbidden"}
    assert [entry["topic"] for entry in logs if entry["log_level"] == "error"] == ["forbidden"]


def test_a_message_that_breaks_its_receiver_does_not_come_again(bench: Bench) -> None:
    bench.pump(2)
    bench.broken = True
    bench.client.deliver(7)
    with capture_logs() as logs:
        bench.pump(2)
    assert [entry["event"] for entry in logs] == ["message broke its receiver"]
    assert bench.client.acknowledged == [7]
    assert bench.connection.connected


def test_a_receipt_belongs_to_its_connection(bench: Bench) -> None:
    bench.pump(2)
    bench.client.deliver(7)
    bench.pump()
    bench.client.script = [lambda: 7]
    bench.pump(3)
    bench.client.deliver(7, dup=True)
    bench.pump()
    first, again = bench.received
    assert (first.redelivered, again.redelivered) == (False, True)
    bench.connection.acknowledge(first.receipt)
    bench.pump()
    assert bench.client.acknowledged == []
    bench.connection.acknowledge(again.receipt)
    bench.pump()
    assert bench.client.acknowledged == [7]
    assert bench.settled == []
    bench.pump()
    assert bench.settled == [again.receipt]
    assert bench.client.asked == ["me/settled"]


def test_the_answer_to_what_is_unsubscribed_settles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, "old/#")
    bench.pump(2)
    assert bench.client.asked == [["old/#"]]
    bench.client.deliver(7)
    late = bench.client.script.pop(0)
    bench.pump()
    bench.connection.acknowledge(bench.received[0].receipt)
    bench.client.script.append(late)
    bench.pump()
    assert bench.client.asked == [["old/#"], "me/settled"]
    bench.client.script.insert(0, late)
    bench.pump()
    assert bench.settled == []
    bench.pump()
    assert bench.settled == [bench.received[0].receipt]
    for client in bench.clients:
        client.close()


def lose() -> int:
    return 7


def fail() -> int:
    raise ConnectionResetError


@pytest.mark.parametrize(("end", "code"), [(lose, "mqtt_cut"), (fail, "mqtt_away")])
def test_who_waits_hears_at_once_that_the_connection_was_lost(bench: Bench, end: Callable[[], int], code: str) -> None:
    bench.pump(2)
    failures: list[Failure] = []

    def publish() -> None:
        try:
            bench.connection.publish([Outgoing("a", b""), Outgoing("b", b"")], timeout=60)
        except Failure as failure:
            failures.append(failure)

    thread = Thread(target=publish)
    thread.start()
    while not bench.connection._requests:
        thread.join(0.001)
    bench.client.script = [end]  # once before the messages are sent, once after
    bench.pump()
    thread.join(30)
    assert [failure.code for failure in failures] == [code]


def test_messages_are_confirmed_when_all_of_them_are(bench: Bench) -> None:
    bench.pump(2)
    with pytest.raises(Transient, match="mqtt_timeout"):
        bench.connection.publish([Outgoing("a", b""), Outgoing("b", b"")], timeout=0)
    request = Request([Outgoing("a", b""), Outgoing("b", b"")])
    bench.connection._requests = deque([request])
    bench.pump()
    assert bench.client.published == ["a", "b"]
    for mid, done in ((1, False), (99, False), (2, True)):
        bench.client.script = [lambda mid=mid: bench.client.on_publish(bench.client, None, mid, None, None)]
        bench.pump()
        assert request.outcome.empty() is not done
    assert request.outcome.get() is None
