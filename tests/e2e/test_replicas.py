"""Several services on one broker: whatever becomes of one of them, the others go on, and nothing is lost or doubled."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from itertools import chain
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.ledger import account
from tests.e2e.mishaps import stamping
from tests.e2e.peers import Caller, Consumer, House, Sensor, stream
from tests.e2e.pictures import jpeg, stamp_of
from tests.e2e.process import ServiceProcess, until
from tests.simulators.camera import CameraSimulator
from tests.simulators.line import Line

LOCATIONS = [f"Place{number}" for number in range(20)]
KEYS = [f"{location} Camera" for location in LOCATIONS]
SHARDS = 16


class Replicas:
    """Three of them, each over a line of its own to the broker."""

    def __init__(self, launch: Launch, house: House, cameras: CameraSimulator, stack: ExitStack) -> None:
        url = urlsplit(house.url)
        self.lines: dict[str, Line] = {}
        self.services: dict[str, ServiceProcess] = {}
        for name in ("one", "two", "three"):
            line = self.lines[name] = stack.enter_context(Line(url.port or 5672))
            through = house.url.replace(f":{url.port}", f":{line.port}")
            own = {"DEVICE_NAME": name, "REPLICAS_GROUP": "snapshot", "RABBITMQ_SERVER_ADDRESS": through}
            configured = stamping(cameras, *LOCATIONS)
            self.services[name] = launch(house, home=name, cameras=configured, environment=own).start()
        for service in self.services.values():
            service.wait_ready()

    def shares(self, *names: str) -> bool:
        """Whether these, and no others, work on all shards, and one of them leads."""
        services = [self.services[name] for name in names]
        seen = [service.metric("replicas_seen") for service in services]
        shards = [service.metric("replica_shards") for service in services]
        leads = [service.metric("replica_leads") for service in services]
        return set(seen) == {len(names)} and sum(shards) == SHARDS and min(shards) > 0 and sum(leads) == 1

    @property
    def leader(self) -> str:
        return next(name for name, one in self.services.items() if one.running and one.metric("replica_leads"))


@pytest.mark.long
def test_of_three_replicas_one_is_killed_one_cut_off_and_one_restarted(launch: Launch, house: House) -> None:
    with CameraSimulator(jpeg(), delay=0.05) as cameras, ExitStack() as stack, Consumer(house) as consumer:
        replicas = Replicas(launch, house, cameras, stack)
        services = replicas.services
        until(lambda: replicas.shares("one", "two", "three"), what="all three share the work")
        sensors = [Sensor(house), Sensor(house)]

        def answered(since: int) -> bool:
            """Whether all cameras have answered triggers from there on."""
            got = {sent.camera for sent in sensors[0].ledger[since:] if consumer.about(sent)}
            return len(got) == len(KEYS)

        turns, pairs = ([sensor] for sensor in sensors)
        caller = Caller(services["one"])
        with stream(turns, KEYS, every=0.25), stream(pairs, [key for key in KEYS for _ in range(2)], every=0.25):
            until(lambda: answered(0), what="every camera has answered")
            for key in KEYS[:6]:
                caller.send(key)  # whichever replica owns it
            killed = replicas.leader
            services[killed].kill()
            began, since = time.monotonic(), len(sensors[0].ledger)
            until(lambda: answered(since), what="every camera answers again after one replica was killed")
            print(f"killed: all cameras again after {time.monotonic() - began:.1f} s")
            left = [name for name in services if name != killed]
            until(lambda: replicas.shares(*left), what="two share the work")
            cut = replicas.leader
            (last,) = [name for name in left if name != cut]
            replicas.lines[cut].stall()
            began, since = time.monotonic(), len(sensors[0].ledger)
            until(lambda: answered(since), what="every camera answers again after one replica was cut off")
            print(f"cut off: all cameras again after {time.monotonic() - began:.1f} s")
            until(lambda: replicas.shares(last), what="the last one has all of the work")
            replicas.lines[cut].mend()
            services[killed].start().wait_ready()
            until(lambda: replicas.shares(*services), timeout=90, what="all three share the work again")
            services[last].terminate()  # as an upgrade does, one after another
            assert services[last].wait() == 0
            services[last].start().wait_ready()
            until(lambda: replicas.shares(*services), timeout=90, what="all three share the work once more")
        until(lambda: not account([*sensors, caller], consumer).lost, what="all events")
        final = account([*sensors, caller], consumer)
        print(final)
        for service in services.values():
            service.terminate()
        assert {service.wait() for service in services.values()} == {0}
    assert final.balanced, final
    assert final.sent >= 300
    assert final.problems == {}
    assert {cameras.load(location.lower()).at_once for location in LOCATIONS} == {1}
    for sensor in sensors:
        in_order_of_cameras(sensor, consumer)


def in_order_of_cameras(sensor: Sensor, consumer: Consumer) -> None:
    """Each camera was asked for the triggers of a sensor in the order in which it sent them.

    A trigger that a replica had when it was cut off is done by two of them, each of which goes by the order.
    """
    taken: dict[int | None, set[int]] = defaultdict(set)
    for event in chain.from_iterable(list(consumer.events.values())):
        taken[event.number].add(int(stamp_of(event.entry["image"]).rpartition(" ")[2]))
    before: dict[str, int] = {}
    for sent in sensor.ledger:
        if pictures := taken[sent.number]:
            later = [picture for picture in pictures if picture > before.get(sent.camera, 0)]
            assert later, f"{sent.camera}: {pictures} after {before[sent.camera]}"
            before[sent.camera] = min(later)
    assert len(before) == len(KEYS)
