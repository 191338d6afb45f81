"""Consuming: what is acknowledged, given back or refused, when, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker, StreamLostError
from structlog.testing import capture_logs

from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq import loop
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.topology import Exchange, Subscription
from pylib.runtime import reconnection
from pylib.runtime.reconnection import QUICK_DELAY, QUICK_FOR
from tests.fakes.amqp import FakeBroker

SUBSCRIPTION = Subscription(exchange=Exchange("home_control"), routing_keys=("key",), queue="q")


class Bench:
    """A listener whose connections are scripted: `run` ends with the script's last step, `stop`."""

    def __init__(
        self,
        context: zmq.Context[Any],
        pull: zmq.Socket[bytes],
        *,
        prefetch: int = 10,
        subscriptions: Sequence[Subscription] = (SUBSCRIPTION,),
        shared: bool = False,
    ) -> None:
        self.broker = FakeBroker()
        self.pull = pull
        self.malformed: list[Failure] = []
        self.decoded: list[Delivery] = []
        self.listener = ZMQListener(
            "listener",
            self.broker,  # type: ignore[arg-type]
            subscriptions,
            context=context,
            address="inproc://taken",
            decode=self._decode,
            encode=lambda delivery: delivery.receipt.encode(),
            on_settled=lambda receipts: self.broker.calls.append(("settled", *receipts)),
            on_malformed=self._refused,
            prefetch=prefetch,
            shared=shared,
        )

    def run(self, *steps: Callable[[], object]) -> None:
        self.broker.script.extend([*steps, self.listener.stop])
        self.listener.run()

    def deliver(self, *tags: int, body: bytes = b"fine", **more: Any) -> Callable[[], None]:
        def step() -> None:
            for tag in tags:
                self.broker.deliver(tag, body, **more)

        return step

    def done(self, *receipts: str) -> Callable[[], None]:
        def step() -> None:
            for one in receipts:
                self.listener.acknowledge(one)

        return step

    def taken(self) -> list[str]:
        frames = []
        while self.pull.poll(0):
            frames.append(self.pull.recv().decode())
        return frames

    def answered(self) -> list[tuple[Any, ...]]:
        """What became of deliveries, and the end of each connection."""
        return self.broker.of("basic_ack", "basic_nack", "basic_reject", "settled", "malformed", "close")

    def _decode(self, delivery: Delivery) -> Delivery | list[Delivery]:
        self.decoded.append(delivery)
        if delivery.body in (b"none", b"two"):
            return [delivery] * (2 if delivery.body == b"two" else 0)
        if delivery.body == b"bad":
            raise Permanent("bad", "it is")
        if delivery.body == b"worse":
            raise ZeroDivisionError
        return delivery

    def _refused(self, failure: Failure) -> None:
        self.malformed.append(failure)
        self.broker.calls.append(("malformed", failure.code))


@pytest.fixture
def context() -> Iterator[zmq.Context[Any]]:
    with zmq.Context() as context:
        yield context


@pytest.fixture
def pull(context: zmq.Context[Any]) -> Iterator[zmq.Socket[bytes]]:
    with context.socket(zmq.PULL) as pull:
        pull.set_hwm(1)
        pull.bind("inproc://taken")
        yield pull


@pytest.fixture
def bench(context: zmq.Context[Any], pull: zmq.Socket[bytes], monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(reconnection, "QUICK_DELAY", 0.0)
    return Bench(context, pull)


def test_it_consumes_only_when_all_is_declared_and_bounded(bench: Bench) -> None:
    bench.run()
    names = [call[0] for call in bench.broker.calls]
    assert names[-6:-2] == ["basic_qos", "queue_declare", "basic_consume", "queue_declare"]
    assert names[-2:] == ["stop_consuming", "close"]
    assert bench.listener.dead_letters == bench.broker.ready
    assert ("basic_qos", {"prefetch_count": 10}) in bench.broker.calls
    assert names.index("queue_bind") < names.index("basic_qos")
    assert not bench.listener.connected


def test_what_is_handed_on_is_not_acknowledged_before_somebody_says_that_it_is_done(bench: Bench) -> None:
    bench.run(bench.deliver(1, 2), bench.broker.pass_time, lambda: bench.broker.calls.append(("malformed", "now")))
    assert bench.taken() == ["1:1", "1:2"]
    assert bench.answered() == [("malformed", "now"), ("close",)]


def test_acknowledgements_are_gathered_and_settled_when_the_broker_has_had_them(bench: Bench) -> None:
    done = bench.done("1:1", "1:2", "1:4")
    bench.run(bench.deliver(1, 2, 3, 4), done, bench.broker.pass_time, bench.broker.pass_time)
    last = [call for call in bench.broker.calls if call[0] in ("basic_ack", "queue_declare", "settled")][-4:]
    assert last == [
        ("basic_ack", 2, {"multiple": True}),
        ("basic_ack", 4),
        ("queue_declare", "q", {"passive": True}),  # its answer comes behind the acknowledgements
        ("settled", "1:1", "1:2", "1:4"),
    ]


def test_those_that_come_together_wake_the_connection_once(bench: Bench) -> None:
    counted: list[int] = []
    bench.run(
        bench.deliver(1, 2, 3),
        bench.broker.timers.clear,  # the tick
        bench.done("1:1", "1:2"),
        lambda: counted.append(len(bench.broker.timers)),
        bench.broker.pass_time,
        bench.done("1:3"),
        lambda: counted.append(len(bench.broker.timers)),
    )
    assert counted == [1, 1]
    assert bench.answered()[:2] == [("basic_ack", 2, {"multiple": True}), ("basic_ack", 3, {"multiple": True})]


def test_what_is_done_is_acknowledged_before_the_connection_ends(bench: Bench) -> None:
    bench.run(bench.deliver(1), bench.done("1:1"))
    assert bench.answered() == [("basic_ack", 1, {"multiple": True}), ("close",)]


@pytest.mark.parametrize(
    ("body", "code"), [(b"bad", "bad"), (b"worse", "internal_error"), (bytes(1024 * 1024 + 1), "too_large")]
)
def test_what_nobody_understands_is_a_dead_letter_and_in_nobody_s_way(bench: Bench, body: bytes, code: str) -> None:
    bench.run(bench.deliver(1, body=body), bench.deliver(2, body=bytes(1024 * 1024)), bench.done("1:2"))
    assert bench.answered() == [
        ("basic_reject", 1, {"requeue": False}),
        ("malformed", code),
        ("basic_ack", 2, {"multiple": True}),
        ("close",),
    ]
    assert bench.taken() == ["1:2"]


def test_a_message_may_bring_several_things_or_none_which_is_done_at_once(bench: Bench) -> None:
    bench.run(
        bench.deliver(1, body=b"two"), bench.deliver(2, body=b"none"), bench.broker.pass_time, bench.broker.pass_time
    )
    assert bench.taken() == ["1:1", "1:1"]
    assert bench.answered() == [("basic_ack", 2), ("settled", "1:2"), ("close",)]


def test_of_several_things_that_were_not_handed_on_their_message_goes_back_once(
    context: zmq.Context[Any], pull: zmq.Socket[bytes]
) -> None:
    bench = Bench(context, pull, prefetch=1)
    bench.run(bench.deliver(1, 2, 3, body=b"two"))
    assert bench.taken() == ["1:1", "1:1"]
    assert bench.answered() == [("basic_nack", 2, {"requeue": True}), ("basic_nack", 3, {"requeue": True}), ("close",)]


def test_a_message_comes_again_when_its_time_has_come(bench: Bench) -> None:
    waits: list[float] = []
    bench.run(
        bench.deliver(1, 2),
        bench.broker.timers.clear,
        lambda: bench.listener.retry("1:1", after=30),
        lambda: bench.listener.retry("0:2", after=30),  # of a connection that is lost
        lambda: waits.extend(seconds for seconds, _ in bench.broker.timers),
        lambda: bench.broker.calls.append(("malformed", "waits")),
        bench.broker.pass_time,
        bench.done("1:1", "1:2"),
        bench.broker.pass_time,
    )
    assert waits == [30, 30]
    assert bench.answered() == [
        ("malformed", "waits"),
        ("basic_nack", 1, {"requeue": True}),
        ("basic_ack", 2, {"multiple": True}),
        ("close",),
    ]


def test_what_was_not_handed_on_goes_back_when_the_service_ends_and_the_rest_is_still_ours(
    context: zmq.Context[Any], pull: zmq.Socket[bytes]
) -> None:
    bench = Bench(context, pull, prefetch=1)
    bench.run(bench.deliver(1, 2, 3, 4))
    taken = bench.taken()
    assert taken == ["1:1", "1:2"]  # as many as the two sockets hold
    assert bench.answered() == [("basic_nack", 3, {"requeue": True}), ("basic_nack", 4, {"requeue": True}), ("close",)]


def test_what_found_no_room_is_handed_on_when_there_is(context: zmq.Context[Any], pull: zmq.Socket[bytes]) -> None:
    bench = Bench(context, pull, prefetch=1)
    taken: list[str] = []
    bench.run(
        bench.deliver(1, 2, 3),
        lambda: taken.extend(bench.taken()),
        lambda: bench.listener._socket.poll(1000, zmq.POLLOUT),  # until the socket has heard of it
        bench.broker.pass_time,
        lambda: taken.extend(bench.taken()),
    )
    assert taken == ["1:1", "1:2", "1:3"]


def test_a_paused_listener_takes_no_more_and_goes_on_acknowledging(bench: Bench) -> None:
    bench.run(bench.deliver(1), bench.listener.pause, bench.done("1:1"), bench.broker.pass_time, bench.broker.pass_time)
    calls = [call[0] for call in bench.broker.calls]
    assert calls.index("stop_consuming") < calls.index("basic_ack") < calls.index("settled") < calls.index("close")


def test_one_that_is_paused_does_not_begin_to_consume(bench: Bench) -> None:
    bench.listener.pause()
    bench.run()
    assert bench.broker.of("basic_consume") == []


@pytest.mark.parametrize("cancelled", [True, False])
def test_after_a_loss_it_begins_anew_and_old_receipts_count_for_nothing(bench: Bench, *, cancelled: bool) -> None:
    def lose() -> None:
        if not cancelled:
            raise StreamLostError("gone")
        assert bench.broker.on_cancel is not None
        bench.broker.on_cancel(None)

    bench.run(
        bench.deliver(1, 2),
        bench.done("1:2"),
        lose,
        bench.deliver(1, 2, redelivered=True),
        bench.done("1:1", "2:2"),
    )
    assert bench.taken() == ["1:1", "1:2", "2:1", "2:2"]
    assert bench.answered() == [("close",), ("basic_ack", 2), ("close",)]
    assert [one.redelivered for one in bench.decoded] == [False, False, True, True]


def test_what_the_socket_had_no_room_for_is_not_handed_on_after_a_loss(
    context: zmq.Context[Any], pull: zmq.Socket[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnection, "QUICK_DELAY", 0.0)
    bench = Bench(context, pull, prefetch=1)
    taken: list[str] = []

    def lose() -> None:
        raise StreamLostError("gone")

    bench.run(
        bench.deliver(1, 2, 3),
        lose,
        lambda: taken.extend(bench.taken()),
        lambda: bench.listener._socket.poll(1000, zmq.POLLOUT),
        bench.broker.pass_time,
    )
    assert taken + bench.taken() == ["1:1", "1:2"]  # the broker delivers the third again


def test_receipts_whose_news_are_not_taken_do_not_cost_the_connection(bench: Bench) -> None:
    def fail(_receipts: list[str]) -> None:
        raise RuntimeError

    bench.listener._on_settled = fail
    bench.run(bench.deliver(1), bench.done("1:1"), bench.broker.pass_time, bench.broker.pass_time)
    assert bench.answered() == [("basic_ack", 1, {"multiple": True}), ("close",)]


def test_messages_say_whether_they_had_waited(bench: Bench) -> None:
    bench.broker.ready = 2
    bench.run(bench.deliver(1, 2), bench.deliver(3, redelivered=True), bench.deliver(4))
    assert [one.queued for one in bench.decoded] == [True, True, True, False]


def test_a_dead_letter_that_is_put_back_had_waited(bench: Bench) -> None:
    bench.run(bench.deliver(1, headers={"x-retried": True}), bench.deliver(2, headers={"a": "b"}))
    assert [one.queued for one in bench.decoded] == [True, False]


def test_names_and_headers_come_along(bench: Bench) -> None:
    bench.run(bench.deliver(1, message_id="m", content_type="application/json", headers={"a": "b"}), bench.deliver(2))
    first, second = bench.decoded
    assert (first.body, first.message_id, first.content_type, first.headers) == (
        b"fine",
        "m",
        "application/json",
        {"a": "b"},
    )
    assert (second.message_id, second.content_type, second.headers) == ("", "", {})


@pytest.mark.parametrize("text", ["the corresponding feature flag is disabled", "unsupported queue type 'quorum'"])
def test_where_there_are_no_quorum_queues_a_classic_one_has_to_do(bench: Bench, text: str) -> None:
    refusals: list[str] = []

    def lacking(_queue: str, *, arguments: dict[str, Any] | None = None, **_: Any) -> None:
        if arguments and arguments["x-queue-type"] == "quorum":
            refusals.append(text)
            if len(refusals) > 1:
                pytest.fail("it asks for ever")
            raise ConnectionClosedByBroker(541, text)

    bench.broker.answers["queue_declare"] = lacking
    bench.run(bench.deliver(1))
    assert bench.taken() == ["1:1"]


@pytest.mark.parametrize(("version", "lines"), [("3.13.7", 0), ("4.0.5", 1), ("10.1", 1), ("", 0)])
def test_a_queue_that_an_earlier_release_made_is_used_and_said_once_where_it_matters(
    bench: Bench, version: str, lines: int
) -> None:
    def differ(_queue: str, *, arguments: dict[str, Any] | None = None, **_: Any) -> None:
        if arguments and "x-delivery-limit" in arguments:
            raise ChannelClosedByBroker(406, "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q'")

    def lose() -> None:
        raise StreamLostError("gone")

    bench.broker.version = version
    bench.broker.answers["queue_declare"] = differ
    with capture_logs() as logs:
        bench.run(bench.deliver(1), lose, bench.deliver(1))
    assert bench.taken() == ["1:1", "2:1"]
    said = [entry["remedy"] for entry in logs if "remedy" in entry]
    assert [remedy.startswith("rabbitmqctl set_policy -p / q-deliveries") for remedy in said] == [True] * lines


def test_another_refusal_is_no_reason_for_another_kind_of_queue(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def refuse(*_: object, **__: object) -> None:
        bench.listener.stop()  # the next attempt would be in a minute
        raise ConnectionClosedByBroker(541, "INTERNAL_ERROR")

    bench.broker.answers["queue_declare"] = refuse
    monkeypatch.setattr(bench.listener, "_wait", waited.append)
    bench.run()
    assert bench.listener._subscriptions[0].queue_type == "quorum"
    assert waited == [0.0]


def test_a_broker_that_never_answers_what_is_set_up_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object) -> None:
        ((seconds, give_up),) = bench.broker.limits
        waited.append(seconds)
        del bench.broker.answers["basic_consume"]
        give_up()

    waited: list[float] = []
    monkeypatch.setattr(reconnection, "QUICK_DELAY", 0.0)
    bench.broker.answers["basic_consume"] = hangs
    bench.run(lambda: None)
    assert waited == [loop.SETUP_S]
    assert len(bench.broker.of("close")) == 2
    assert bench.broker.limits == [], "once in working order, it may be silent"


# -- the loop that all connections have -----------------------------------------------------------


class Attempts(loop.BrokerLoop):
    """Each session fails as told, after so many seconds; the pauses are noted, and not waited."""

    def __init__(self, *sessions: tuple[float, Exception], now: list[float]) -> None:
        super().__init__("attempts", FakeBroker())  # type: ignore[arg-type]
        self.sessions = list(sessions)
        self.now = now
        self.pauses: list[float] = []
        self.was_connected: list[bool] = []

    def _serve(self, _connection: object) -> None:
        seconds, error = self.sessions.pop(0)
        if seconds:
            self._connected()
        self.now[0] += seconds
        self.was_connected.append(self.connected)
        raise error

    def _wait(self, seconds: float) -> None:
        assert not self.connected
        self.pauses.append(seconds)
        self.now[0] += seconds
        if not self.sessions:
            self.stop()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(reconnection, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(reconnection, "random", SimpleNamespace(uniform=lambda _least, most: most))
    return now


def test_a_broker_that_restarts_is_there_again_at_once_and_one_that_stays_away_is_asked_seldom(
    now: list[float],
) -> None:
    away = StreamLostError("gone")
    attempts = Attempts(*[(0.0, away)] * 230, (31.0, away), now=now)
    attempts.run()
    quick = attempts.pauses.index(0.5)
    assert set(attempts.pauses[:quick]) == {QUICK_DELAY}
    assert quick * QUICK_DELAY == pytest.approx(QUICK_FOR, abs=1)
    assert [round(pause, 3) for pause in attempts.pauses[quick : quick + 4]] == [0.5, 0.75, 1.125, 1.688]
    assert attempts.pauses[229] == 30.0
    assert attempts.pauses[230] == QUICK_DELAY, "after a steady connection it begins anew"


def test_a_broker_that_answers_wrongly_is_not_asked_so_quickly(now: list[float]) -> None:
    odd = Transient("no_quorum_queues", "the broker has none")
    attempts = Attempts((0.0, odd), (0.0, odd), now=now)
    attempts.run()
    assert attempts.pauses == [0.5, 0.75]


def test_a_refusal_waits_a_minute_for_a_person(now: list[float]) -> None:
    refused = Permanent("access_refused", "no")
    attempts = Attempts((0.0, refused), (0.0, refused), now=now)
    attempts.run()
    assert attempts.pauses == [60.0, 60.0]


def test_an_outage_is_said_once_a_minute_and_anew_after_each_connection(now: list[float]) -> None:
    away = StreamLostError("gone")
    attempts = Attempts(*[(0.0, away)] * 5, (1.0, away), (0.0, away), now=now)
    with capture_logs() as logs:
        attempts.run()
    assert [entry["log_level"] for entry in logs] == ["warning", "info", "warning"]
    attempts = Attempts(*[(0.0, away)] * 12, now=now)
    with capture_logs() as logs:
        attempts.run()
    assert len(logs) == 1 + int(sum(attempts.pauses[:-1]) // 60)


def test_a_refusal_is_said_once_and_another_one_too(now: list[float]) -> None:
    one, other = Permanent("access_refused", "no"), Permanent("precondition_failed", "it differs")
    with capture_logs() as logs:
        Attempts((0.0, one), (0.0, one), (0.0, other), (1.0, other), now=now).run()
    assert [(entry["log_level"], entry.get("reason")) for entry in logs] == [
        ("error", "access_refused: no"),
        ("error", "precondition_failed: it differs"),
        ("info", None),
        ("error", "precondition_failed: it differs"),
    ]


SHARDS = [Subscription(queue=f"shard.{number}", dead="q.dead", one_at_a_time=True) for number in range(3)]


@pytest.fixture
def shared(context: zmq.Context[Any], pull: zmq.Socket[bytes], monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(reconnection, "QUICK_DELAY", 0.0)
    return Bench(context, pull, prefetch=2, subscriptions=SHARDS, shared=True)


def consuming(bench: Bench, *queues: str) -> Callable[[], None]:
    return lambda: bench.listener.consume(queues)


def test_of_queues_that_others_consume_too_it_consumes_those_that_it_is_told(shared: Bench) -> None:
    told: list[frozenset[str]] = []
    shared.run(
        consuming(shared, "shard.1"),
        lambda: None,
        lambda: told.append(shared.listener.consumed),
        consuming(shared, "shard.0", "shard.1"),
        lambda: None,
        lambda: told.append(shared.listener.consumed),
    )
    assert told == [frozenset({"shard.1"}), frozenset({"shard.0", "shard.1"})]
    assert shared.broker.of("basic_consume") == [("basic_consume", "shard.1"), ("basic_consume", "shard.0")]


def test_a_queue_is_given_up_when_all_that_came_of_it_is_done_and_not_before(shared: Bench) -> None:
    seen: list[tuple[Any, ...]] = []
    shared.run(
        consuming(shared, "shard.1"),
        shared.deliver(1, 2),
        consuming(shared),
        shared.done("1:2"),
        shared.broker.pass_time,
        lambda: seen.extend(shared.broker.of("stop_consuming", "basic_ack")),
        shared.done("1:1"),
        shared.broker.pass_time,
    )
    assert seen == []  # else the broker would send the next one, to us or to somebody else
    assert shared.broker.of("stop_consuming", "basic_ack", "settled", "close") == [
        ("stop_consuming",),  # and then it may go on to others
        ("basic_ack", 2, {"multiple": True}),
        ("settled", "1:1", "1:2"),
        ("close",),
    ]


def test_one_that_is_wanted_again_before_it_was_given_up_stays(shared: Bench) -> None:
    shared.run(
        consuming(shared, "shard.1"),
        shared.deliver(1, 2),
        consuming(shared),
        shared.done("1:2"),
        shared.broker.pass_time,
        consuming(shared, "shard.1"),
        lambda: shared.broker.calls.append(("malformed", "wanted")),
    )
    assert shared.answered()[:2] == [("basic_ack", 2), ("malformed", "wanted")]
    assert len(shared.broker.of("basic_consume")) == 1


def test_the_other_queues_go_on_while_one_is_given_up(shared: Bench) -> None:
    shared.run(
        consuming(shared, "shard.0", "shard.1"),
        shared.deliver(1, queue="shard.0"),
        shared.deliver(1, queue="shard.1"),
        consuming(shared, "shard.0"),
        shared.done("1:1"),
        shared.broker.pass_time,
    )
    assert shared.answered()[:2] == [("basic_ack", 1, {"multiple": True}), ("settled", "1:1")]


def test_what_is_done_at_the_end_is_acknowledged_though_more_of_its_queue_is_in_hand(shared: Bench) -> None:
    shared.run(consuming(shared, "shard.1"), shared.deliver(1, 2), shared.listener.pause, shared.done("1:1"))
    # No end in good order: it would begin with the consumer, and the next one would get what lies behind.
    assert shared.broker.of("basic_ack", "stop_consuming", "settled", "hung up") == [
        ("basic_ack", 1, {"multiple": True}),
        ("settled", "1:1"),
        ("hung up",),
    ]


def test_after_a_loss_it_consumes_the_same_queues_under_other_receipts(shared: Bench) -> None:
    def lose() -> None:
        raise StreamLostError("gone")

    shared.run(consuming(shared, "shard.1"), shared.deliver(1), lose, shared.deliver(1), shared.done("1:1", "2:1"))
    assert shared.answered()[:2] == [("close",), ("basic_ack", 1, {"multiple": True})]


def test_a_channel_that_the_broker_closes_costs_the_connection(shared: Bench) -> None:
    shared.run(consuming(shared, "shard.1"), lambda: setattr(shared.broker, "channels_open", False), lambda: None)
    assert len(shared.broker.of("basic_consume")) == 2
