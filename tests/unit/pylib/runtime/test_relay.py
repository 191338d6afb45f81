"""Relays and feeders: what a stage may rely on, whatever it raises."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import count

import pytest
import zmq

from pylib import tracing
from pylib.errors import Transient
from pylib.runtime.bell import Bell
from pylib.runtime.relay import BUSY, Codec, Transport, ZmqRelay, connect
from pylib.runtime.stage import Stage
from pylib.runtime.threads import ManagedThread
from pylib.tracing import Span, TraceContext, Tracer

IN, OUT = "inproc://in", "inproc://out"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feeder notices a stop when a poll ends; a relay has to be woken."""
    monkeypatch.setattr("pylib.runtime.relay.POLL_MS", 10)
    monkeypatch.setattr("pylib.runtime.relay.IDLE_MS", 3_600_000)


class Collect(Stage[str]):
    """The end of the line: keeps what comes."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.changed = threading.Condition()

    def handle(self, message: str) -> Iterable[str]:
        with self.changed:
            self.got.append(message)
            self.changed.notify_all()
        return ()

    def wait_for(self, count: int, seconds: float = 5) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, seconds), self.got
            return list(self.got)


class Each(Stage[str]):
    """Applies a function to each message."""

    def __init__(self, function: Callable[[str], Iterable[str]]) -> None:
        self.function = function
        self.opened = 0
        self.closed = False

    def open(self) -> None:
        self.opened += 1

    def handle(self, message: str) -> Iterable[str]:
        return self.function(message)

    def close(self) -> None:
        self.closed = True


class Give:
    """A source of what a test gives."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.closed = False

    def poll(self, timeout: float) -> Iterable[str]:
        if not self.messages:
            time.sleep(0.005)
        given, self.messages = self.messages, []
        return given

    def close(self) -> None:
        self.closed = True


class Outcomes:
    """A meter that keeps what became of each message."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self) -> None:
        """Nothing is counted here."""

    def finished(self, outcome: str, seconds: float) -> None:
        self.told.append(outcome)


class Pauses(threading.Event):
    """A stop flag that waits in no time, keeps for how long it was to wait, and is set after so many waits."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert not self.is_set(), "it goes on after the stop"
        self.seconds.append(timeout or 0.0)
        if len(self.seconds) == self.most:
            self.set()
        return self.is_set()


class Line:
    """Give -> stage -> Collect, each in its thread."""

    def __init__(self, stage: Stage[str], **options: object) -> None:
        self.transport = Transport(Codec(encode=str.encode, decode=bytes.decode))
        self.source, self.end, self.stage = Give(), Collect(), stage
        names: dict[str, Callable[[str], str]] = {
            "key": lambda m: m.partition(" ")[0],
            "identity": lambda m: m,
        }
        self.relay: ZmqRelay[str] = self.transport.relay(
            "stage", stage, source=IN, sinks=[OUT], **{"workers": 4, **names, **options}
        )
        end = self.transport.relay("end", self.end, source=OUT, **names)
        feeder = self.transport.feeder("feeder", self.source, sink=IN)
        self.threads: list[ManagedThread] = [feeder, self.relay, end]

    def __enter__(self) -> Line:
        for thread in reversed(self.threads):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self.threads:
            thread.stop()
            assert thread.join(60), thread.name
            assert thread.error is None, thread.name  # it left its sockets open, and the context would wait for them
        self.transport.close()

    def give(self, *messages: str) -> None:
        self.source.messages = list(messages)


def test_messages_of_one_key_keep_their_order_through_a_stage_with_many_workers() -> None:
    def hesitate(message: str) -> list[str]:
        time.sleep(0.002 if int(message.split()[1]) % 3 else 0)
        return [message]

    sent = [f"{camera} {number}" for number in range(60) for camera in ("a", "b", "c")]
    with Line(Each(hesitate)) as line:
        line.give(*sent)
        got = line.end.wait_for(len(sent))
    for camera in ("a", "b", "c"):
        assert [m for m in got if m.startswith(camera)] == [m for m in sent if m.startswith(camera)]


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within a few seconds."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_every_sink_gets_every_result_in_order_and_a_stop_overtakes_nothing() -> None:
    transport = Transport(Codec(encode=str.encode, decode=bytes.decode))
    sinks = [transport.context.socket(zmq.PULL) for _ in range(2)]
    for number, sink in enumerate(sinks):
        sink.bind(f"inproc://sink{number}")
    stage = Each(lambda message: [f"{message}!", f"{message}?"])
    relay: ZmqRelay[str] = transport.relay(
        "stage",
        stage,
        source=IN,
        sinks=["inproc://sink0", "inproc://sink1"],
        workers=0,
        key=lambda message: message,
        identity=lambda message: message,
    )
    sender = connect(transport.context, IN)
    sender.send(b"a")
    sender.send(b"b")

    relay.stop()  # before the relay came to look at what it was sent
    relay.run()

    for sink in sinks:
        assert [sink.recv(zmq.NOBLOCK) for _ in range(4)] == [b"a!", b"a?", b"b!", b"b?"]
    for socket in (sender, *sinks):
        socket.close()
    transport.close()


def test_a_result_goes_to_the_sinks_that_it_is_meant_for() -> None:
    transport = Transport(Codec(encode=str.encode, decode=bytes.decode))
    sinks = {name: transport.context.socket(zmq.PULL) for name in ("inproc://a", "inproc://b")}
    for name, sink in sinks.items():
        sink.bind(name)
    relay: ZmqRelay[str] = transport.relay(
        "stage",
        Each(lambda message: [message]),
        source=IN,
        sinks=list(sinks),
        route=lambda result: [f"inproc://{letter}" for letter in result],
        workers=0,
        key=lambda message: message,
        identity=lambda message: message,
    )
    sender = connect(transport.context, IN)
    for message in (b"a", b"b", b"ab"):
        sender.send(message)
    relay.stop()
    relay.run()
    for sink, expected in zip(sinks.values(), ([b"a", b"ab"], [b"b", b"ab"]), strict=True):
        assert [sink.recv(zmq.NOBLOCK) for _ in expected] == expected
        assert not sink.poll(0)
    for socket in (sender, *sinks.values()):
        socket.close()
    transport.close()


def test_an_unexpected_error_costs_one_message_and_not_the_thread() -> None:
    def trip(message: str) -> list[str]:
        if message == "a bad":
            raise ValueError(message)
        return [message]

    meter = Outcomes()
    with Line(Each(trip), meter=meter) as line:
        line.give("a 1", "a bad", "a 2")
        assert line.end.wait_for(2) == ["a 1", "a 2"]
        assert line.relay.alive
    assert line.relay.in_hand == 0
    assert meter.told == ["ok", "error", "ok"]


def test_work_is_done_within_what_is_around_it_and_its_failure_is_known_there() -> None:
    spans: list[Span] = []
    tracer = Tracer(spans.append)

    def around(message: str) -> AbstractContextManager[object]:
        return tracer.span(message, TraceContext("1" * 32, "1" * 16, sampled=True), {})

    def function(message: str) -> Iterable[str]:
        if message == "bad":
            raise ValueError("secret")
        return [tracing.traceparent()]

    relay = ZmqRelay(
        "stage",
        Each(function),
        context=zmq.Context(io_threads=0),
        codec=Codec(str.encode, bytes.decode),
        source=IN,
        key=str,
        identity=str,
        around=around,
    )
    for message in ("good", "bad"):
        relay._work(message, relay.stage.handle)
    assert [(span.name, span.problem) for span in spans] == [("good", ""), ("bad", "internal_error")]


def test_a_transient_error_is_tried_again_with_the_same_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylib.runtime.relay.RETRY_FIRST_S", 0.01)
    attempts: list[str] = []

    def full_disk(message: str) -> list[str]:
        attempts.append(message)
        if attempts.count("a 1") < 3:
            raise Transient("disk_full", "no space left")
        return [message]

    with Line(Each(full_disk)) as line:
        line.give("a 1", "a 2")
        assert line.end.wait_for(2) == ["a 1", "a 2"]
    assert attempts == ["a 1", "a 1", "a 1", "a 2"]


def test_a_full_disk_is_tried_with_growing_pauses_counts_as_no_hanging_and_holds_up_no_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopping, meter, stuck = Pauses(40), Outcomes(), list[bool]()
    real = time.monotonic()

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return real + sum(stopping.seconds)

    def full_disk(_: str) -> list[str]:
        stuck.append(relay.stuck)
        raise Transient("disk_full", "no space left")

    monkeypatch.setattr("pylib.runtime.relay.time", Clock)
    transport = Transport(Codec(encode=str.encode, decode=bytes.decode))
    stage = Each(full_disk)
    monkeypatch.setattr(stage, "pending", lambda: ["a 1"])
    relay: ZmqRelay[str] = transport.relay("stage", stage, source=IN, workers=0, key=str, identity=str, meter=meter)
    relay.stopping = stopping

    relay.run()

    transport.close()
    assert stopping.seconds[:7] == [0.5, 1, 2, 4, 8, 15, 15]
    assert sum(stopping.seconds) > 300
    assert not any(stuck)
    assert meter.told == ["put_off"]


def test_what_is_owed_is_read_again_after_the_record_was_away() -> None:
    answers = count()

    class Owing(Each):
        def pending(self) -> Iterable[str]:
            if next(answers) == 0:
                raise Transient("database_unavailable", "disk full")
            return ("a 1",)

    with Line(Owing(lambda message: [message]), pending_every=0.01) as line:
        assert line.end.wait_for(1)[0] == "a 1"
        assert line.relay.alive


def test_all_pages_of_what_is_owed_are_asked_for_at_once_and_then_only_when_told() -> None:
    pages = [["a 1", "b 1"], ["a 2"], ["a 3"]]
    asked = 0

    class Owing(Each):
        def pending(self) -> Iterable[str]:
            nonlocal asked
            asked += 1
            return pages.pop(0) if pages else ()

    with Line(Owing(lambda message: [message]), pending_every=3600) as line:
        assert sorted(line.end.wait_for(4)) == ["a 1", "a 2", "a 3", "b 1"]
        assert eventually(lambda: asked == 4)
        pages.append(["a 4"])
        line.relay.recheck()
        assert line.end.wait_for(5)[4] == "a 4"
        assert eventually(lambda: asked == 6)
        for number in range(3):
            line.give(f"c {number}")
            line.end.wait_for(6 + number)
        assert asked == 6


def test_what_waits_is_what_no_worker_has_begun_with() -> None:
    go = threading.Event()

    def hold(message: str) -> list[str]:
        go.wait(60)
        return [message]

    with Line(Each(hold)) as line:
        line.give("a 1", "a 2", "a 3", "b 1")
        deadline = time.monotonic() + 60
        while (line.relay.in_hand, line.relay.waiting) != (4, 2):  # one of each key is being worked on
            assert time.monotonic() < deadline, (line.relay.in_hand, line.relay.waiting)
            time.sleep(0.005)
        go.set()
        line.end.wait_for(4)
    assert line.relay.waiting == 0


def test_what_is_owed_is_taken_up_at_start_and_not_twice_while_it_is_in_hand() -> None:
    release = threading.Event()

    class Owing(Stage[str]):
        owed_now: tuple[str, ...] = ("a 1", "b 1")
        asked = 0

        def handle(self, message: str) -> Iterable[str]:
            release.wait(60)
            return [message]

        def pending(self) -> Iterable[str]:
            self.asked += 1
            return self.owed_now

    stage = Owing()
    with Line(stage, pending_every=0.01) as line:
        while stage.asked < 5:
            time.sleep(0.01)
        stage.owed_now = ()
        release.set()
        assert sorted(line.end.wait_for(2)) == ["a 1", "b 1"]
        time.sleep(0.05)
        assert len(line.end.got) == 2


def test_the_record_is_not_asked_while_there_is_plenty_to_do_and_asked_again_afterwards() -> None:
    release = threading.Event()

    class Owing(Stage[str]):
        asked = 0

        def handle(self, message: str) -> Iterable[str]:
            release.wait(60)
            return [message]

        def pending(self) -> Iterable[str]:
            self.asked += 1
            return [f"a {number}" for number in range(BUSY)] if self.asked == 1 else ["a last"]

    stage = Owing()
    with Line(stage, pending_every=0.01) as line:
        while stage.asked < 1:
            time.sleep(0.01)
        time.sleep(0.2)
        assert stage.asked == 1
        release.set()
        assert "a last" in line.end.wait_for(BUSY + 1)


def test_what_is_finished_while_the_record_is_asked_is_not_done_again() -> None:
    asked, finished = threading.Event(), threading.Event()
    handled: list[str] = []

    class Owing(Stage[str]):
        def handle(self, message: str) -> Iterable[str]:
            asked.wait(60)
            handled.append(message)
            return [message]

        def pending(self) -> Iterable[str]:
            if line.relay.in_hand and not finished.is_set():
                asked.set()  # the record was read with the message undone; it is finished before we answer
                while line.relay.in_hand:
                    time.sleep(0.005)
                finished.set()
                return ["a 1"]
            return ()

    line = Line(Owing(), pending_every=0.01)
    with line:
        line.give("a 1")
        assert finished.wait(60)
        time.sleep(0.05)
    assert handled == ["a 1"]


def test_a_stop_drains_what_was_sent_before_it() -> None:
    def slow(message: str) -> list[str]:
        time.sleep(0.01)
        return [message]

    stage = Each(slow)
    line = Line(stage, workers=1)
    with line:
        line.give(*(f"a {number}" for number in range(30)))
        line.end.wait_for(1)
    assert len(line.end.got) == 30
    assert stage.closed
    assert line.source.closed


def test_an_abandoned_relay_ends_although_a_worker_hangs_and_begins_nothing_more() -> None:
    begun, release = threading.Event(), threading.Event()
    handled: list[str] = []

    def hang(message: str) -> list[str]:
        handled.append(message)
        begun.set()
        release.wait(30)
        return []

    line = Line(Each(hang), workers=1)
    with line:
        line.give("a 1", "a 2", "b 1")
        assert eventually(lambda: line.relay.in_hand == 3)
        assert begun.wait(5)
        line.relay.stall_after = 0.05
        line.relay.stop()
        line.relay.abandon()
        ended = line.relay.join(5)
        release.set()
        assert ended
        assert eventually(lambda: not any(thread.name == "stage-1" for thread in threading.enumerate()))
    assert handled == ["a 1"]


def test_threads_that_wait_for_work_or_drain_are_not_taken_for_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    for wait in ("POLL_MS", "IDLE_MS"):
        monkeypatch.setattr(f"pylib.runtime.relay.{wait}", 5)
    beats: list[str] = []
    release = threading.Event()

    def hold(message: str) -> list[str]:
        release.wait(30)
        return [message]

    line = Line(Each(hold))
    for thread in line.threads:
        monkeypatch.setattr(thread, "beat", lambda name=thread.name: beats.append(name))
    with line:
        for thread in line.threads:
            assert eventually(lambda name=thread.name: beats.count(name) > 3), thread.name  # type: ignore[misc]
        line.give("a 1")
        assert eventually(lambda: line.relay.in_hand == 1)
        line.relay.stop()
        so_far = beats.count("stage")
        drained = eventually(lambda: beats.count("stage") > so_far + 3)
        release.set()
        assert drained


def test_a_bell_wakes_each_time_it_is_rung() -> None:
    bell = Bell()
    for _ in range(2):
        bell.ring()
        bell.ring()
        assert select.select([bell.fileno()], [], [], 0)[0]
        bell.silence()
        assert not select.select([bell.fileno()], [], [], 0)[0]
    bell.close()


def test_a_bell_that_is_closed_is_rung_in_vain() -> None:
    bell = Bell()
    bell.close()
    read, write = os.pipe()  # the numbers that were the bell's
    bell.ring()
    assert not select.select([read], [], [], 0)[0]
    os.close(read)
    os.close(write)


def test_a_relay_with_nothing_to_do_is_woken_to_ask_again_and_to_stop() -> None:
    asked = 0

    class Asked(Each):
        def pending(self) -> Iterable[str]:
            nonlocal asked
            asked += 1
            return ()

    with Line(Asked(lambda message: [message]), pending_every=3600) as line:
        assert eventually(lambda: asked == 1)
        line.relay.recheck()
        assert eventually(lambda: asked == 2)


def test_messages_beyond_the_allowed_queue_of_a_key_are_shed_at_once() -> None:
    release = threading.Event()

    class Slow(Stage[str]):
        def handle(self, message: str) -> Iterable[str]:
            release.wait(60)
            return [message]

        def shed(self, message: str) -> Iterable[str]:
            return [f"shed {message}"]

    with Line(Slow(), max_waiting=2) as line:
        line.give("a 1", "a 2", "a 3", "a 4", "a 5", "b 1")
        assert line.end.wait_for(2) == ["shed a 4", "shed a 5"]
        release.set()
        assert sorted(line.end.wait_for(6)[2:]) == ["a 1", "a 2", "a 3", "b 1"]


def test_a_message_that_may_not_be_shed_waits_for_its_turn() -> None:
    release = threading.Event()

    class Slow(Stage[str]):
        def handle(self, message: str) -> Iterable[str]:
            release.wait(60)
            return [message]

        def shed(self, message: str) -> Iterable[str]:
            return [f"shed {message}"]

        def may_shed(self, message: str) -> bool:
            return not message.endswith("again")

    with Line(Slow(), max_waiting=1) as line:
        line.give("a 1", "a 2", "a 1 again", "a 3")
        assert line.end.wait_for(1) == ["shed a 3"]
        release.set()
        assert line.end.wait_for(4)[1:] == ["a 1", "a 2", "a 1 again"]


def test_what_is_owed_again_although_it_was_done_is_no_reason_to_hurry() -> None:
    class Forgetful(Stage[str]):
        """Cannot record what it has done."""

        handled = 0

        def handle(self, message: str) -> Iterable[str]:
            self.handled += 1
            return ()

        def pending(self) -> Iterable[str]:
            return ("a 1", "b 1")

    stage = Forgetful()
    with Line(stage, pending_every=0.2):
        time.sleep(0.5)
    assert 2 <= stage.handled <= 10


def test_a_relay_whose_thread_died_goes_on_where_it_was_when_started_again() -> None:
    fatal = threading.Event()

    class Fragile(Each):
        def pending(self) -> Iterator[str]:
            if fatal.is_set():
                fatal.clear()
                raise SystemExit
            return iter(())

    stage = Fragile(lambda message: [message])
    with Line(stage, pending_every=0.01) as line:
        line.give("a 1")
        line.end.wait_for(1)
        fatal.set()
        assert line.relay.join(60)
        line.give("a 2")
        time.sleep(0.05)
        line.relay.start()
        assert line.end.wait_for(2) == ["a 1", "a 2"]
    assert stage.opened == 1


def test_a_worker_that_never_returns_is_noticed() -> None:
    release = threading.Event()

    def hang(_: str) -> list[str]:
        release.wait(60)
        return []

    with Line(Each(hang), longest=0.05) as line:
        line.give("a 1")
        deadline = time.monotonic() + 60
        while not line.relay.stuck and time.monotonic() < deadline:
            time.sleep(0.01)
        assert line.relay.stuck
        release.set()
        assert eventually(lambda: line.relay.in_hand == 0)
        assert not line.relay.stuck


def test_a_stage_without_workers_is_called_in_the_relay_s_own_thread() -> None:
    names: list[str] = []

    def note(message: str) -> list[str]:
        names.append(threading.current_thread().name)
        return [message]

    with Line(Each(note), workers=0) as line:
        line.give("a 1", "b 1")
        assert line.end.wait_for(2) == ["a 1", "b 1"]
    assert names == ["stage", "stage"]


def test_a_feeder_ends_though_nobody_takes_its_messages_any_more() -> None:
    transport = Transport(Codec(encode=str.encode, decode=bytes.decode))
    pull, source = transport.context.socket(zmq.PULL), Give()
    pull.bind(IN)
    feeder = transport.feeder("feeder", source, sink=IN)
    feeder.start()
    source.messages = ["a"]
    assert pull.recv() == b"a"
    other = connect(transport.context, IN)
    pull.close()
    assert eventually(lambda: not other.poll(0, zmq.POLLOUT))
    other.close()
    source.messages = ["b"]
    assert eventually(lambda: not source.messages)
    feeder.stop()
    assert feeder.join(5)
    assert feeder.error is None
    assert source.closed
    transport.close()
