"""Six outlets that tell people, and one of them dead: what it costs the others."""

from __future__ import annotations

import itertools
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import Any

from tests.bench.peer import Peer
from tests.bench.processes import locations, simulator
from tests.bench.report import Row, ms, quantile
from tests.bench.rows import Bench, detector

OUTLETS = 6
EVENTS = 1000
ROUND = 50
WITHIN_S = 120.0


def telling(bench: Bench) -> Iterator[Row]:
    """1,000 events to RabbitMQ and six webhooks: all alive, and with one that never answers."""
    places = locations(20)
    took: dict[str, list[float]] = {"alive": [], "one dead": []}
    late: dict[str, list[float]] = {name: [] for name in took}
    rounds = bench.some(EVENTS // ROUND)
    with ExitStack() as stack:
        port = stack.enter_context(detector())
        receiver = stack.enter_context(simulator("receiver"))
        services: dict[str, tuple[Peer, list[str]]] = {}
        for name in took:
            names = [f"{name.replace(' ', '-')}-{number}" for number in range(OUTLETS)]
            addresses = ["hang" if name == "one dead" and number == 0 else one for number, one in enumerate(names)]
            cameras = {place: bench.address(place) for place in places}
            config = {"publishers": [_webhook(*one, receiver) for one in zip(names, addresses, strict=True)]}
            _, peer = stack.enter_context(bench.running(addresses[1], cameras, detector=port, config=config))
            services[name] = peer, [address for address in addresses if address != "hang"]
        turn = itertools.cycle(places)
        for number in range(rounds):
            for name, (peer, alive) in sorted(services.items(), reverse=number % 2 == 0):
                began = time.perf_counter()
                numbers = []
                for _ in range(ROUND):
                    peer.run(0.05)
                    numbers.append(peer.trigger(next(turn)))
                peer.run_until_quiet()
                took[name] += [peer.took[one] for one in numbers]
                _await(receiver, alive, len(peer.sent))
                late[name].append(time.perf_counter() - began)
        lost, twice = _missing(receiver, [one for _, alive in services.values() for one in alive])
    before, after = (quantile(took[name], 0.95) for name in took)
    yield Row(
        "p95 of an event on RabbitMQ, beside six webhooks of which one never answers (alone: all six alive; "
        f"{rounds * ROUND} events each)",
        ms(after),
        ms(before),
        f"{after / before:.2f}",
        "1.10",
        after <= 1.1 * before,
    )
    before, after = (median(late[name]) for name in took)
    yield Row(
        f"{ROUND} events, until every webhook that answers has them (the same)",
        f"{after:.2f} s",
        f"{before:.2f} s",
        f"{after / before:.2f}",
        "1.10",
        after <= 1.1 * before,
    )
    yield Row("lost, and told twice, at eleven webhooks", f"{lost}, {twice}", aim="0, 0", reached=not lost + twice)


def _webhook(name: str, address: str, receiver: int) -> dict[str, Any]:
    return {"kind": "webhook", "name": name, "url": f"http://127.0.0.1:{receiver}/{address}", "timeout": 5}


def _came(receiver: int, name: str) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{receiver}/{name}", timeout=10) as answer:
        ids: list[str] = json.load(answer)
    return ids


def _await(receiver: int, names: list[str], count: int) -> None:
    deadline = time.perf_counter() + WITHIN_S
    while any(len(_came(receiver, name)) < count for name in names):
        if time.perf_counter() > deadline:
            raise TimeoutError(f"not all of {count} events arrived within {WITHIN_S:g} s")
        time.sleep(0.02)


def _missing(receiver: int, names: list[str]) -> tuple[int, int]:
    """Events that a webhook never got although another of its service did, and those that came twice."""
    came = {name: _came(receiver, name) for name in names}
    events: dict[str, set[str]] = {}
    for name, ids in came.items():
        events.setdefault(name.rpartition("-")[0], set()).update(ids)
    lost = sum(len(events[name.rpartition("-")[0]] - set(ids)) for name, ids in came.items())
    return lost, sum(len(ids) - len(set(ids)) for ids in came.values())
