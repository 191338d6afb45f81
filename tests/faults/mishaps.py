"""What can go wrong around a running service: each begins, lasts as long as its block, and is over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tests.e2e.peers import Sensor
from tests.faults.stand import Stand
from tests.simulators.line import Line

THROTTLED_SHARE = 0.3
SLOW_S = 3.0


class Server(Protocol):
    """What can be stopped and started."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


Mishap = Callable[[Stand], AbstractContextManager[None]]


@contextmanager
def broker_away(stand: Stand) -> Iterator[None]:
    """It is stopped in good order, and started when the block ends."""
    stand.broker.stop()
    try:
        yield
    finally:
        stand.broker.start()


@contextmanager
def broker_frozen(stand: Stand) -> Iterator[None]:
    """It keeps its connections and answers none."""
    stand.broker.freeze()
    try:
        yield
    finally:
        stand.broker.thaw()


@contextmanager
def broker_killed(stand: Stand) -> Iterator[None]:
    """SIGKILL, as a power cut would end it."""
    stand.broker.kill()
    try:
        yield
    finally:
        stand.broker.start()


def cut(line: Line) -> Mishap:
    """What lies behind this line is away."""

    @contextmanager
    def away(_: Stand) -> Iterator[None]:
        line.cut()
        try:
            yield
        finally:
            line.mend()

    return away


def stopped(server: Server) -> Mishap:
    """This server is stopped, and started when the block ends."""

    @contextmanager
    def away(_: Stand) -> Iterator[None]:
        server.stop()
        try:
            yield
        finally:
            server.start()

    return away


@contextmanager
def line_cut(stand: Stand) -> Iterator[None]:
    """The service's way to the broker ends, and nobody is there."""
    with cut(stand.to_broker)(stand):
        yield


@contextmanager
def black_hole(stand: Stand) -> Iterator[None]:
    """What the service sends the broker goes nowhere, and nothing says so."""
    stand.to_broker.stall()
    try:
        yield
    finally:
        stand.to_broker.mend()


@contextmanager
def memory_alarm(stand: Stand) -> Iterator[None]:
    """The broker takes no more messages."""
    with stand.broker.alarm():
        yield


@contextmanager
def cameras_slow(stand: Stand) -> Iterator[None]:
    """Every picture takes seconds."""
    stand.cameras.delay = SLOW_S
    try:
        yield
    finally:
        stand.cameras.delay = 0


@contextmanager
def detector_throttled(stand: Stand) -> Iterator[None]:
    """It refuses a share of all calls."""
    chance = random.Random(1)
    stand.detector.faults.extend("throttle" if chance.random() < THROTTLED_SHARE else "" for _ in range(100_000))
    try:
        yield
    finally:
        stand.detector.faults.clear()


@contextmanager
def detector_away(stand: Stand) -> Iterator[None]:
    """Nobody can reach it."""
    with cut(stand.to_detector)(stand):
        yield


@contextmanager
def phone_refuses(stand: Stand) -> Iterator[None]:
    """The webhook answers 503."""
    stand.phone.status = 503
    try:
        yield
    finally:
        stand.phone.status = 200


@contextmanager
def phone_silent(stand: Stand) -> Iterator[None]:
    """The webhook takes connections and answers none."""
    stand.phone.double.hold.clear()
    try:
        yield
    finally:
        stand.phone.double.hold.set()


@contextmanager
def poison(stand: Stand) -> Iterator[None]:
    """A few messages come that are no triggers."""
    with Sensor(stand.house) as sensor:
        for body in POISON:
            sensor.send_raw(body)
    yield


POISON = (
    b"",
    b"\xc1",
    b"{",
    b"\x81\xa1a\x01",
    b"\x93\x01\x02\x03",
    b'{"output_triggered": {"device_key": 7}}',
    bytes(70_000),
)
"""Bodies that are no triggers, each in a way of its own."""
