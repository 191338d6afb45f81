"""How the service grows, in processor time: with its cameras, with its snapshots, with its replicas.

`python -m tests.bench.growth`: what is measured is the processor's time, which hardly depends on what else the
machine does. Prints the measurements and the models that are fitted to them; `--plot` draws them.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

from tests.bench.album import KEEP, journal_of
from tests.bench.chart import COLOURS, Frame, page, text
from tests.bench.fit import Model, left_out
from tests.bench.peer import Peer, peer
from tests.bench.picture import draw
from tests.bench.processes import Process, locations, service, simulator
from tests.bench.report import machine
from tests.bench.rows import Bench, detector
from tests.broker import Broker

CAMERAS = (10, 100, 1_000, 10_000)
SNAPSHOTS = (1_000, 10_000, 100_000)
REPLICAS = (1, 2, 4)
SHARDS = 16
EVENTS_OF = 10
"""Cameras that are triggered: the same few, so that only what stands idle differs."""
ROUNDS = 5
EVENTS = 100
"""In each round."""
PAGES = 20
AT_REST_S = 5.0
OUTSTANDING = 4


@dataclass(frozen=True, slots=True)
class Curve:
    """A cost by how many there are of something, as it was measured."""

    group: str
    """What there is more and more of."""
    name: str
    unit: str
    measured: Mapping[int, float]
    logarithmic: bool = True

    @property
    def model(self) -> Model:
        return Model.of(self.measured, logarithmic=self.logarithmic)

    @property
    def error(self) -> float:
        """The share by which a model of all others misses the one that was left out, where it misses most."""
        return max(map(abs, left_out(self.measured, logarithmic=self.logarithmic).values()))


def by_cameras(bench: Bench, counts: Sequence[int]) -> Iterator[Curve]:
    """Start, memory and an event, with so many cameras configured."""
    starts: dict[int, float] = {}
    memory: dict[int, float] = {}
    idle: dict[int, float] = {}
    with detector() as port, ExitStack() as stack:
        sides: dict[int, tuple[Process, Peer]] = {}
        for count in counts:
            cameras = {place: bench.address(place) for place in locations(count)}
            running = bench.running(f"cameras-{count}", cameras, detector=port, warm=[])
            process, other_side = sides[count] = stack.enter_context(running)
            starts[count] = process.cpu
            other_side.run(2.0)
            memory[count] = process.resident
            idle[count] = 100 * _at_rest(other_side, process)
        costs = _events(bench, sides)
    yield Curve("cameras", "an event", "ms", costs)
    yield Curve("cameras", "the start", "s", starts, logarithmic=False)
    yield Curve("cameras", "memory after the start", "MB", memory, logarithmic=False)
    yield Curve("cameras", "at rest", "% of a core", idle, logarithmic=False)


def by_snapshots(bench: Bench, counts: Sequence[int]) -> Iterator[Curve]:
    """An event and the album's first page, with so many snapshots in the journal."""
    pages: dict[int, list[float]] = {count: [] for count in counts}
    cameras = {place: bench.address(place) for place in locations(EVENTS_OF)}
    for count in counts:  # before there is a connection that would wait for it, and be closed
        journal_of(bench.home / f"snapshots-{count}" / "data", count)
    with detector() as port, ExitStack() as stack:
        sides: dict[int, tuple[Process, Peer]] = {}
        for count in counts:
            running = bench.running(f"snapshots-{count}", cameras, detector=port, config=KEEP)
            sides[count] = stack.enter_context(running)
        for process, _ in sides.values():
            _first_page(process, 5)  # warm
        for _ in range(bench.some(ROUNDS)):
            for count, (process, _) in sides.items():
                before = process.cpu
                _first_page(process, PAGES)
                pages[count].append(1000 * (process.cpu - before) / PAGES)
        costs = _events(bench, sides)
        idle = {count: 100 * _at_rest(other_side, process) for count, (process, other_side) in sides.items()}
    yield Curve("snapshots", "an event", "ms", costs)
    yield Curve("snapshots", "the album's first page", "ms", {count: median(each) for count, each in pages.items()})
    yield Curve("snapshots", "at rest", "% of a core", idle)


def by_replicas(bench: Bench, counts: Sequence[int], broker: Process) -> Iterator[Curve]:
    """An event in all services together, and in the broker, with so many of them at work on one broker."""
    services: dict[int, float] = {}
    at_broker: dict[int, float] = {}
    idle: dict[int, float] = {}
    places = locations(EVENTS_OF * 4)
    cameras = {place: bench.address(place) for place in places}
    with detector() as port:
        for count in counts:
            topic, names = f"replicas-{count}", [f"replica{number}" for number in range(count)]
            with ExitStack() as stack:
                own = {"broker": bench.broker, "cameras": cameras, "detector": port, "group": topic}
                running = [stack.enter_context(service(bench.home, name=name, **own)) for name in names]  # type: ignore[arg-type]
                other_side = stack.enter_context(peer(bench.broker, topic, devices=names))
                other_side.run_until(lambda running=running: _share(running), within=120)  # type: ignore[misc]
                _round(other_side, places, 2 * len(places))  # warm
                idle[count] = 100 * _at_rest(other_side, *running)
                at_rest = idle[count] / 100, _at_rest(other_side, broker)
                spent: list[tuple[float, float]] = []
                for _ in range(bench.some(ROUNDS)):
                    with _meter(at_rest[0], *running) as here, _meter(at_rest[1], broker) as there:
                        _round(other_side, places, EVENTS)
                    spent.append((here[0], there[0]))
                services[count], at_broker[count] = (median(each) for each in zip(*spent, strict=True))
    yield Curve("replicas", "an event, all services", "ms", services)
    yield Curve("replicas", "an event, the broker", "ms", at_broker)
    yield Curve("replicas", "at rest, all services", "% of a core", idle, logarithmic=False)


def _events(bench: Bench, sides: Mapping[int, tuple[Process, Peer]]) -> dict[int, float]:
    """Milliseconds of processor time an event, in services that are measured in turn."""
    places = locations(EVENTS_OF)
    spent: dict[int, list[float]] = {count: [] for count in sides}
    for _, other_side in sides.values():
        _round(other_side, places, 3 * len(places))  # warm
    at_rest = {count: _at_rest(other_side, process) for count, (process, other_side) in sides.items()}
    for _ in range(bench.some(ROUNDS)):
        for count, (process, other_side) in sides.items():
            with _meter(at_rest[count], process) as cost:
                _round(other_side, places, EVENTS)
            spent[count] += cost
    return {count: median(each) for count, each in spent.items()}


def _at_rest(other_side: Peer, *processes: Process) -> float:
    """Seconds of processor time a second that they need while nothing happens."""
    before, began = _cpu(processes), time.perf_counter()
    other_side.run(AT_REST_S)
    return (_cpu(processes) - before) / (time.perf_counter() - began)


@contextmanager
def _meter(at_rest: float, *processes: Process) -> Iterator[list[float]]:
    """At the end it has the milliseconds of processor time an event, without what they need at rest."""
    cost: list[float] = []
    before, began = _cpu(processes), time.perf_counter()
    yield cost
    spent = _cpu(processes) - before - at_rest * (time.perf_counter() - began)
    cost.append(1000 * spent / EVENTS)


def _cpu(processes: Iterable[Process]) -> float:
    return sum(process.cpu for process in processes)


def _round(other_side: Peer, places: Sequence[str], events: int) -> None:
    """So many events, a few at a time, one camera after the other."""
    turns = itertools.islice(itertools.cycle(places), events)

    def again(_number: int) -> None:
        if place := next(turns, ""):
            other_side.trigger(place)

    other_side.on_event = again
    for place in itertools.islice(turns, OUTSTANDING):
        other_side.trigger(place)
    other_side.run_until_quiet()
    other_side.on_event = lambda _number: None


def _first_page(process: Process, times: int) -> None:
    with requests.Session() as asked:
        for _ in range(times):
            answer = asked.get(f"http://127.0.0.1:{process.web}/", headers={"Accept": "text/html"}, timeout=60)
            answer.raise_for_status()


def _share(running: Sequence[Process]) -> bool:
    """Whether all shards are somebody's, everybody has some, and one leads."""
    shards, leads = ([process.metric(name) for process in running] for name in ("replica_shards", "replica_leads"))
    return sum(shards) == SHARDS and min(shards) > 0 and sum(leads) == 1


# -- what is printed and drawn -------------------------------------------------------------------

AHEAD = {"cameras": 50_000, "snapshots": 1_000_000, "replicas": 8}
"""Up to where the models are drawn and asked."""


def table(curves: Sequence[Curve]) -> str:
    """What was measured, what the models say beyond it, and how wrong they are, in Markdown."""
    lines = []
    for group in dict.fromkeys(curve.group for curve in curves):
        own = [curve for curve in curves if curve.group == group]
        counts = sorted({count for curve in own for count in curve.measured})
        ahead = AHEAD[group]
        heads = [*(f"{count:,}" for count in counts), f"*{ahead:,}*"]
        lines += ["", f"| by {group} | {' | '.join(heads)} | model | error |"]
        lines += [f"|---|{'---:|' * len(heads)}---|---:|"]
        for curve in own:
            cells = [_figure(curve.measured[count]) for count in counts] + [f"*{_figure(curve.model.at(ahead))}*"]
            name = f"{curve.name}, {curve.unit}"
            lines.append(f"| {name} | {' | '.join(cells)} | {curve.model} | {curve.error:.0%} |")
    return "\n".join(lines).strip()


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


WIDTH, HEIGHT, MARGIN = 320, 300, 48
"""Of one chart."""
STEPS = 7
"""Fewer lines for milliseconds than this."""


def plot(curves: Sequence[Curve]) -> str:
    """A chart for each thing that there is more and more of: milliseconds; dots measured, lines modelled."""
    groups = list(dict.fromkeys(curve.group for curve in curves))
    return page(WIDTH * len(groups), HEIGHT, *(_chart(group, n * WIDTH, curves) for n, group in enumerate(groups)))


def _chart(group: str, left: int, curves: Sequence[Curve]) -> str:
    own = [curve for curve in curves if curve.group == group and curve.unit == "ms"]
    counts = sorted({count for curve in own for count in curve.measured})
    first, last, ahead = (math.log10(count) for count in (counts[0], counts[-1], AHEAD[group]))
    highest = 1.25 * max(cost for curve in own for cost in (*curve.measured.values(), curve.model.at(AHEAD[group])))
    frame = Frame(left + MARGIN, MARGIN, WIDTH - 1.5 * MARGIN, HEIGHT - 2 * MARGIN, (first, ahead), (0, highest))
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if highest / step < STEPS)
    ys: dict[float, str] = {level * step: f"{level * step:g}" for level in range(int(highest / step) + 1)}
    xs = {math.log10(count): _short(count) for count in (*counts, AHEAD[group])}
    parts = [frame.axes(xs, ys), text(left + MARGIN, 24, f"ms by {group}")]
    for number, (curve, colour) in enumerate(zip(own, COLOURS, strict=False)):
        ends = [(at, curve.model.base + curve.model.slope * at) for at in (first, last, ahead)]
        parts += [frame.line(ends[:2], colour), frame.line(ends[1:], colour, dashed=True)]
        parts += [frame.dot((math.log10(count), cost), colour) for count, cost in curve.measured.items()]
        parts.append(text(left + MARGIN + 6, MARGIN + 16 + 16 * number, curve.name, fill=colour, size=13))
    return "".join(parts)


def _short(count: int) -> str:
    return f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1000}k" if count >= 1000 else str(count)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--only", choices=AHEAD, action="append", help="more and more of this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one round of each")
    parser.add_argument("--million", action="store_true", help="also with 1,000,000 snapshots: takes ten minutes")
    parser.add_argument("--plot", type=Path, help="draw it into this SVG file")
    asked = parser.parse_args()
    facts = machine()
    curves: list[Curve] = []
    with tempfile.TemporaryDirectory(prefix="snapshot-growth-") as folder, Broker() as broker:
        picture = Path(folder) / "camera.jpg"
        picture.write_bytes(draw())
        with simulator("camera", "--picture", str(picture)) as cameras:
            bench = Bench(Path(folder), broker.port, cameras, asked.quick)
            snapshots = (*SNAPSHOTS, 1_000_000) if asked.million else SNAPSHOTS
            measurements: dict[str, Callable[[], Iterator[Curve]]] = {
                "cameras": lambda: by_cameras(bench, CAMERAS),
                "snapshots": lambda: by_snapshots(bench, snapshots),
                "replicas": lambda: by_replicas(bench, REPLICAS, Process(broker.pid, 0)),
            }
            for name in asked.only or AHEAD:
                print(f"{name} ...", file=sys.stderr, flush=True)
                for curve in measurements[name]():
                    print(curve, file=sys.stderr, flush=True)
                    curves.append(curve)
    print(f"{facts}\n\n{table(curves)}")
    if asked.plot:
        asked.plot.write_text(plot(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
