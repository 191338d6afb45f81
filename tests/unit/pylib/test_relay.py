"""Relays and feeders: what a stage may rely on, whatever it raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from pylib.errors import Transient
from pylib.relay import Codec, Stage, Transport, ZmqRelay
from pylib.threads import Loop

IN, OUT = "inproc://in", "inproc://out"


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
        self.closed = False

    def handle(self, message: str) -> Iterable[str]:
        return self.function(message)

    def close(self) -> None:
        self.closed = True


class Give:
    """A source of what a test gives."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def poll(self, timeout: float) -> Iterable[str]:
        if not self.messages:
            time.sleep(0.005)
        given, self.messages = self.messages, []
        return given

    def close(self) -> None:
        """Nothing is held."""


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
        self.threads: list[Loop] = [feeder, self.relay, end]

    def __enter__(self) -> Line:
        for thread in reversed(self.threads):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self.threads:
            thread.stop()
            assert thread.join(60), thread.name
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


def test_an_unexpected_error_costs_one_message_and_not_the_thread() -> None:
    def trip(message: str) -> list[str]:
        if message == "a bad":
            raise ValueError(message)
        return [message]

    with Line(Each(trip)) as line:
        line.give("a 1", "a bad", "a 2")
        assert line.end.wait_for(2) == ["a 1", "a 2"]
        assert line.relay.alive
    assert line.relay.in_hand == 0


def test_a_transient_error_is_tried_again_with_the_same_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylib.relay.RETRY_FIRST_S", 0.01)
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

        def owed(self) -> Iterable[str]:
            self.asked += 1
            return self.owed_now

    stage = Owing()
    with Line(stage, owed_every=0.01) as line:
        while stage.asked < 5:
            time.sleep(0.01)
        stage.owed_now = ()
        release.set()
        assert sorted(line.end.wait_for(2)) == ["a 1", "b 1"]
        time.sleep(0.05)
        assert len(line.end.got) == 2


def test_what_is_finished_while_the_record_is_asked_is_not_done_again() -> None:
    asked, finished = threading.Event(), threading.Event()
    handled: list[str] = []

    class Owing(Stage[str]):
        def handle(self, message: str) -> Iterable[str]:
            asked.wait(60)
            handled.append(message)
            return [message]

        def owed(self) -> Iterable[str]:
            if line.relay.in_hand and not finished.is_set():
                asked.set()  # the record was read with the message undone; it is finished before we answer
                while line.relay.in_hand:
                    time.sleep(0.005)
                finished.set()
                return ["a 1"]
            return ()

    line = Line(Owing(), owed_every=0.01)
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

        def owed(self) -> Iterable[str]:
            return ("a 1", "b 1")

    stage = Forgetful()
    with Line(stage, owed_every=0.2):
        time.sleep(0.5)
    assert 2 <= stage.handled <= 10


def test_a_relay_whose_thread_died_goes_on_where_it_was_when_started_again() -> None:
    fatal = threading.Event()

    class Fragile(Each):
        def owed(self) -> Iterator[str]:
            if fatal.is_set():
                fatal.clear()
                raise SystemExit
            return iter(())

    with Line(Fragile(lambda message: [message]), owed_every=0.01) as line:
        line.give("a 1")
        line.end.wait_for(1)
        fatal.set()
        assert line.relay.join(60)
        line.give("a 2")
        time.sleep(0.05)
        line.relay.start()
        assert line.end.wait_for(2) == ["a 1", "a 2"]


def test_a_worker_that_never_returns_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylib.relay.WORKER_STALL_S", 0.05)
    release = threading.Event()

    def hang(_: str) -> list[str]:
        release.wait(60)
        return []

    with Line(Each(hang)) as line:
        line.give("a 1")
        deadline = time.monotonic() + 60
        while not line.relay.stuck and time.monotonic() < deadline:
            time.sleep(0.01)
        assert line.relay.stuck
        release.set()


def test_a_stage_without_workers_is_called_in_the_relay_s_own_thread() -> None:
    names: list[str] = []

    def note(message: str) -> list[str]:
        names.append(threading.current_thread().name)
        return [message]

    with Line(Each(note), workers=0) as line:
        line.give("a 1", "b 1")
        assert line.end.wait_for(2) == ["a 1", "b 1"]
    assert names == ["stage", "stage"]
