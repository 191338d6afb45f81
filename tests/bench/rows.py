"""The measurements, one function each: start what it needs, measure, give rows of the table."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.parts import DETECT, GET, PUBLISH, Parts, parts
from tests.bench.peer import Peer, peer
from tests.bench.processes import Process, locations, service, simulator
from tests.bench.report import Row, ms, quantile

BURST, CAMERA_S, DETECTOR_S = 100, 0.2, 0.25


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share."""

    home: Path
    broker: int
    cameras: int
    quick: bool

    def some(self, count: int) -> int:
        """How many of something: fewer when it has to be quick."""
        return max(1, count // 4) if self.quick else count

    def address(self, location: str, behaviour: str = "stamped", delay: float = 0.0) -> str:
        """Where the simulator serves the picture of this place."""
        return f"http://127.0.0.1:{self.cameras}/{behaviour}/{location.replace(' ', '-')}?delay={delay}"

    @contextmanager
    def running(
        self,
        name: str,
        cameras: Mapping[str, str],
        *,
        detector: int,
        warm: Iterable[str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[Process, Peer]]:
        """The service and its peer; each camera, or each of `warm`, has been triggered once."""
        options = {"name": name, "broker": self.broker, "cameras": cameras, "detector": detector, "config": config}
        with service(self.home, **options) as process, peer(self.broker, name) as other_side:  # type: ignore[arg-type]
            for location in cameras if warm is None else warm:
                other_side.trigger(location)
            other_side.run_until_quiet()
            yield process, other_side


@contextmanager
def detector(delay: float = 0.0) -> Iterator[int]:
    """A double of Rekognition that takes so many seconds; gives its port."""
    with simulator("rekognition", "--delay", str(delay)) as port:
        yield port


@contextmanager
def alone(bench: Bench, detector_port: int) -> Iterator[Parts]:
    """The parts beside which the service is measured."""
    url = bench.address("alone")
    with parts(bench.home, picture_url=url, detector=detector_port, broker=bench.broker) as measured:
        measured.measure(20)
        yield measured


def loop(bench: Bench) -> Iterator[Row]:
    """Events per second and processor time, with 1, 4 and 16 triggers outstanding over 20 cameras."""
    places = locations(20)
    rates: dict[int, list[float]] = {1: [], 4: [], 16: []}
    costs: dict[int, list[float]] = {1: [], 4: [], 16: []}
    with ExitStack() as stack:
        port = stack.enter_context(detector())
        cameras = {place: bench.address(place) for place in places}
        process, other_side = stack.enter_context(bench.running("loop", cameras, detector=port))
        measured = stack.enter_context(alone(bench, port))
        closed_loop(other_side, places, outstanding=16, seconds=1.0)  # warm
        for _ in range(3):
            for outstanding in rates:
                measured.measure(bench.some(60))
                before = process.cpu
                events, seconds = closed_loop(
                    other_side, places, outstanding=outstanding, seconds=4.0 / (4 if bench.quick else 1)
                )
                rates[outstanding].append(events / seconds)
                costs[outstanding].append((process.cpu - before) / events)
    yield from _parts_rows(measured)
    allowed = 1 / measured.seconds()
    for outstanding, found in rates.items():
        rate = median(found)
        yield Row(
            f"closed loop over 20 cameras, {outstanding} outstanding",
            f"{rate:.0f} events/s",
            f"{allowed:.0f}/s",
            f"{rate / allowed:.2f}",
            "0.6",
            rate >= 0.6 * allowed,
        )
    for outstanding, found in costs.items():
        cost = median(found)
        yield Row(
            f"processor time an event, {outstanding} outstanding",
            ms(cost),
            ms(measured.cpu()),
            f"{cost / measured.cpu():.1f}",
        )


def _parts_rows(measured: Parts) -> Iterator[Row]:
    for name in measured.names:
        yield Row(f"alone: {name}", "", f"{ms(measured.seconds(name))}, processor {ms(measured.cpu(name))}")
    yield Row("alone: sum", "", f"{ms(measured.seconds())}, processor {ms(measured.cpu())}")


def closed_loop(other_side: Peer, places: list[str], *, outstanding: int, seconds: float) -> tuple[int, float]:
    """Keep so many triggers under way, one camera after the other; gives the events and the seconds."""
    until = time.perf_counter() + seconds
    arrived = 0
    turn = itertools.cycle(places)

    def again(_number: int) -> None:
        nonlocal arrived
        arrived += 1
        if time.perf_counter() < until:
            other_side.trigger(next(turn))

    began = time.perf_counter()
    other_side.on_event = again
    for _ in range(outstanding):
        other_side.trigger(next(turn))
    other_side.run_until_quiet()
    other_side.on_event = lambda _number: None
    return arrived, time.perf_counter() - began


def burst(bench: Bench) -> Iterator[Row]:
    """100 triggers at once, for 100 cameras that take 200 ms and a detector that takes 250 ms."""
    places = locations(BURST)
    took: list[float] = []
    with detector(DETECTOR_S) as port:
        cameras = {place: bench.address(place, delay=CAMERA_S) for place in places}
        with bench.running("burst", cameras, detector=port) as (_, other_side):
            for _ in range(bench.some(8)):
                other_side.run(0.5)
                began = time.perf_counter()
                for place in places:
                    other_side.trigger(place)
                other_side.run_until_quiet()
                took.append(time.perf_counter() - began)
    floor = CAMERA_S + DETECTOR_S
    yield Row(
        f"{BURST} triggers at once, camera {ms(CAMERA_S)}, detector {ms(DETECTOR_S)}: last event after",
        f"{median(took):.2f} s (worst {max(took):.2f} s)",
        f"{floor:.2f} s",
        f"{median(took) / floor:.1f}",
        "1.5 s",
        median(took) <= 1.5,
    )


def added(bench: Bench) -> Iterator[Row]:
    """What the service adds to one event, one at a time."""
    places = locations(20)
    took: list[float] = []
    with ExitStack() as stack:
        port = stack.enter_context(detector())
        cameras = {place: bench.address(place) for place in places}
        _, other_side = stack.enter_context(bench.running("added", cameras, detector=port))
        measured = stack.enter_context(alone(bench, port))
        for turn in range(bench.some(400)):
            other_side.run(random.uniform(0.01, 0.05))  # out of step with whatever is done regularly
            number = other_side.trigger(places[turn % len(places)])
            other_side.run_until_quiet()
            took.append(other_side.took[number])
            if turn % 5 == 0:
                measured.measure(1)
    parts_s = measured.seconds(GET, DETECT, PUBLISH)
    extra = [seconds - parts_s for seconds in took]
    yield Row(
        "added to one event (trigger published to event arrived, without picture, detector and publish), p50",
        ms(median(extra)),
        ms(parts_s),
    )
    p95 = quantile(extra, 0.95)
    yield Row("the same, p95", ms(p95), "", "", "30 ms", p95 < 0.03)


def hanging(bench: Bench) -> Iterator[Row]:
    """Time to the event for 19 healthy cameras, while the 20th hangs and while it does not."""
    *healthy, last = locations(20)
    took: dict[str, list[float]] = {"stamped": [], "hang": []}
    with ExitStack() as stack:
        port = stack.enter_context(detector())
        peers: dict[str, Peer] = {}
        for behaviour in took:
            cameras = {place: bench.address(place) for place in healthy}
            cameras[last] = bench.address(last, behaviour)
            # Two services side by side and in turn, so that both see the same moods of the machine.
            _, peers[behaviour] = stack.enter_context(
                bench.running(f"last-{behaviour}", cameras, detector=port, warm=healthy)
            )
        for turn in range(bench.some(40)):
            for behaviour, other_side in sorted(peers.items(), reverse=turn % 2 == 0):
                other_side.trigger(last)
                took[behaviour] += timed_round(other_side, healthy)
    before, after = (quantile(took[behaviour], 0.95) for behaviour in ("stamped", "hang"))
    yield Row(
        "p95 of 19 healthy cameras while the 20th hangs (alone: while none does)",
        ms(after),
        ms(before),
        f"{after / before:.2f}",
        "1.10",
        after <= 1.1 * before,
    )


def timed_round(other_side: Peer, places: list[str]) -> list[float]:
    """Trigger the cameras at these places, 40 a second; gives what their events took."""
    numbers = []
    for place in places:
        other_side.run(0.025)
        numbers.append(other_side.trigger(place))
    other_side.run_until(lambda: all(number in other_side.took for number in numbers))
    other_side.check(numbers)
    return [other_side.took[number] for number in numbers]


def memory(bench: Bench) -> Iterator[Row]:
    """Resident memory with 200 cameras: after the start, and after 1,000 events."""
    places = locations(200)
    events = bench.some(1000)
    with detector() as port:
        cameras = {place: bench.address(place) for place in places}
        with bench.running("memory", cameras, detector=port, warm=[]) as (process, other_side):
            other_side.run(2.0)
            idle = process.resident
            turn = itertools.cycle(places)
            other_side.on_event = lambda _number: _next(other_side, turn, events)
            for _ in range(16):
                other_side.trigger(next(turn))
            other_side.run_until_quiet()
            used = process.resident
    yield Row("resident memory, 200 cameras, idle", f"{idle:.0f} MB", aim="110 MB", reached=idle < 110)
    what = f"resident memory, 200 cameras, after {events:,} events"
    yield Row(what, f"{used:.0f} MB", aim="110 MB", reached=used < 110)


def _next(other_side: Peer, turn: Iterator[str], limit: int) -> None:
    if len(other_side.sent) < limit:
        other_side.trigger(next(turn))


ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "loop": loop,
    "burst": burst,
    "added": added,
    "hanging": hanging,
    "memory": memory,
}
