"""A broker that notes what it is asked and answers as a test wants; pika's connections, without a thread."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pika
import pytest

Answer = Callable[..., Any]


class FakeBroker:
    """In place of `pylib.rabbitmq.broker.Broker`: each `connect` is a connection that works off `script`."""

    address = "mq:5672"
    vhost = "/"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        """Name and arguments of each call of a channel, and `("close",)` for each connection's end."""
        self.answers: dict[str, Answer] = {}
        """By the call's name: gets its arguments, and may raise what the broker would make pika raise."""
        self.script: deque[Callable[[], object]] = deque()
        """What happens while somebody consumes or waits, one after the other; then nothing happens any more."""
        self.timers: list[tuple[float, Callable[[], object]]] = []
        """Seconds, and what is to be called after them."""
        self.limits: list[tuple[float, Callable[[], object]]] = []
        """Seconds, and what is raised after them unless the connection is in working order by then."""
        self.ready = 0
        """Messages that wait in each queue."""
        self.frame_max = 131_072
        self.version = "3.13.7"
        self.answered: Answer | None = None
        """Told of confirms; see `confirm`."""
        self.returned: Answer | None = None
        """Told of what no queue took."""
        self.consumers: dict[str, Answer] = {}
        """By queue."""
        self.channels_open = True
        """Of the channels that there are now."""
        self.on_cancel: Answer | None = None

    def connect(self, _name: str) -> FakeConnection:
        self.channels_open = True
        if "connect" in self.answers:
            self.answers["connect"]()
        return FakeConnection(self)

    def deliver(self, tag: int, body: bytes, *, queue: str = "", redelivered: bool = False, **properties: Any) -> None:
        """Hand a message to the consumer of this queue, the last one unless it is named."""
        assert self.consumers, "nobody consumes"
        receive = self.consumers[queue or list(self.consumers)[-1]]
        method = SimpleNamespace(delivery_tag=tag, redelivered=redelivered)
        receive(FakeChannel(self), method, pika.BasicProperties(**properties), body)

    def confirm(self, tag: int, *, multiple: bool = False, refused: bool = False) -> None:
        """Answer whoever published over a channel that does not wait."""
        assert self.answered is not None
        method = pika.spec.Basic.Nack(tag, multiple) if refused else pika.spec.Basic.Ack(tag, multiple)
        self.answered(SimpleNamespace(method=method))

    def pass_time(self) -> None:
        """Call what is due, whenever it is."""
        due, self.timers = self.timers, []
        for _, callback in due:
            callback()

    def of(self, *names: str) -> list[tuple[Any, ...]]:
        """The calls of these names."""
        return [call for call in self.calls if call[0] in names]


class FakeConnection:
    """What `pika.BlockingConnection` is to our threads."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self._called: deque[Callable[[], object]] = deque()
        self._impl = SimpleNamespace(
            params=SimpleNamespace(frame_max=broker.frame_max),
            server_properties={"version": broker.version},
            _adapter_call_later=lambda seconds, callback: broker.limits.append((seconds, callback)),
            _adapter_remove_timeout=lambda handle: broker.limits.clear(),
            _adapter_disconnect_stream=lambda: broker.calls.append(("hung up",)),
        )

    def channel(self) -> FakeChannel:
        return FakeChannel(self._broker)

    def add_callback_threadsafe(self, callback: Callable[[], object]) -> None:
        self._called.append(callback)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        self._broker.timers.append((seconds, callback))

    def process_data_events(self, seconds: float = 0) -> None:
        todo = self._called or self._broker.script
        if todo:
            todo.popleft()()
        elif seconds:
            pytest.fail("it would wait for ever")

    def close(self) -> None:
        self._broker.calls.append(("close",))


class FakeChannel:
    """What pika's blocking channel is to our threads."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker

    @property
    def is_open(self) -> bool:
        return self._broker.channels_open

    @property
    def _impl(self) -> FakeChannel:
        """The channel below it, which does not wait."""
        return self

    def confirm_delivery(self, answered: Answer | None = None) -> None:
        self._call("confirm_delivery")
        self._broker.answered = answered

    def add_on_return_callback(self, returned: Answer) -> None:
        self._broker.returned = returned

    def stop_consuming(self) -> None:
        self._broker.calls.append(("stop_consuming",))

    def basic_consume(self, queue: str, callback: Answer, **_: Any) -> None:
        self._call("basic_consume", queue)
        self._broker.consumers[queue] = callback

    def add_on_cancel_callback(self, callback: Answer) -> None:
        self._broker.on_cancel = callback

    def close(self) -> None:
        """Nothing: only its connection's end is told."""

    def queue_declare(self, queue: str, **options: Any) -> Any:
        self._call("queue_declare", queue, **options)
        return SimpleNamespace(method=SimpleNamespace(queue=queue or "amq.gen", message_count=self._broker.ready))

    def __getattr__(self, name: str) -> Answer:
        return lambda *args, **options: self._call(name, *args, **options)

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        self._broker.calls.append((name, *args, options) if options else (name, *args))
        answer = self._broker.answers.get(name)
        return answer(*args, **options) if answer else None


class AnyHeaders:
    """In place of `pika.BasicProperties`: headers as the bytes that go over the wire, which pika would not write."""

    INDEX = pika.BasicProperties.INDEX

    def __init__(self, table: bytes) -> None:
        self._table = table

    def encode(self) -> list[bytes]:
        return [struct.pack(">HI", pika.BasicProperties.FLAG_HEADERS, len(self._table)), self._table]


def field(name: bytes, value: bytes) -> bytes:
    """A header; `value` begins with the letter of its kind."""
    return bytes([len(name)]) + name + value


def nested(kind: bytes, levels: int) -> bytes:
    """Lists (`A`) or tables (`F`, each with a `k`) in each other."""
    value = b"V"
    for _ in range(levels):
        inside = value if kind == b"A" else field(b"k", value)
        value = kind + struct.pack(">I", len(inside)) + inside
    return value
