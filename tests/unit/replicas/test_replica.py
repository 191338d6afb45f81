"""What a service is among its replicas."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from app.journal import Journal
from app.replicas.members import SETTLED_S, SILENT_S, Members
from app.replicas.names import GroupNames
from app.replicas.presence import Presence
from app.replicas.replica import GHOST_S, Replica, Work
from app.rules.telling import Switch, Telling
from pylib.errors import Permanent
from pylib.observability.health import Status
from pylib.rabbitmq.pipeline import Message
from tests.fakes.clock import Clock

NAMES = GroupNames("app", "home", 16)
QUEUES = {one.queue for one in NAMES.queues}
YARD = "Yard Camera"


class Connections:
    """The group's connection and that of the shards."""

    def __init__(self) -> None:
        self.connected = self.member = True
        self.leads = False
        self.told: list[Collection[str]] = []

    def consume(self, queues: Collection[str]) -> None:
        self.told.append(queues)


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture
def replica(journal: Journal, clock: Clock, connections: Connections) -> Replica:
    replica = Replica(
        NAMES,
        device="one",
        release="1.0",
        cameras=[YARD],
        telling=Telling(journal, clock=clock),
        place=lambda _: Message("shard", b"", "m"),
        refused=lambda _: None,
        now=clock,
        clock=clock,
        members=Members("one", clock=clock, now=clock),
    )
    replica.follow(connections, connections)
    return replica


def echo(replica: Replica) -> Presence:
    """It hears itself."""
    said = replica.say(leaving=False)
    replica.hear(said)
    return Presence.unpack(said)


def settle(replica: Replica, clock: Clock) -> Presence:
    replica.turn()
    presence = echo(replica)
    clock.now += SETTLED_S
    replica.turn()
    return presence


def test_it_takes_its_shards_and_owns_their_cameras(replica: Replica, clock: Clock, connections: Connections) -> None:
    assert not replica.owns(YARD)
    me = settle(replica, clock)
    assert (connections.told, replica.owns(YARD)) == ([QUEUES], True)
    other = replace(me, device="two")
    assert replica.hear(other.pack())  # it is answered at once
    replica.turn()
    assert len(connections.told) == 2
    assert frozenset(connections.told[-1]) < QUEUES
    assert replica.owns(YARD) == (NAMES.queue_of(YARD) in connections.told[-1])
    assert not replica.hear(other.pack())
    assert replica.hear(replace(other, leaving=True).pack())
    replica.turn()
    assert connections.told[-1] == QUEUES


def test_who_cannot_consume_says_so_at_once_and_so_does_who_can_again(
    replica: Replica, clock: Clock, connections: Connections
) -> None:
    settle(replica, clock)
    connections.connected = False
    assert (replica.turn(), Presence.unpack(replica.say(leaving=False)).ready) == (True, False)
    assert not replica.turn()
    connections.connected = True
    assert (replica.turn(), Presence.unpack(replica.say(leaving=False)).ready) == (True, True)


def test_one_that_is_cut_off_neither_leads_nor_owns(replica: Replica, clock: Clock, connections: Connections) -> None:
    work = Work()
    assert (work.leads, work.owns(YARD)) == (True, True)  # alone
    work.replica = replica
    assert (work.leads, work.owns(YARD)) == (False, False)
    connections.leads = True
    settle(replica, clock)
    assert (work.leads, work.owns(YARD)) == (True, True)
    clock.now += SILENT_S
    assert (work.leads, work.owns(YARD)) == (False, False)


def test_nobody_tries_to_lead_where_somebody_does(replica: Replica, clock: Clock) -> None:
    me = settle(replica, clock)
    assert replica.may_lead()
    leader = replace(me, device="two", leads=True)
    replica.hear(leader.pack())
    assert not replica.may_lead()
    replica.hear(replace(leader, leaving=True).pack())
    assert replica.may_lead()
    replica.hear(leader.pack())
    clock.now += SILENT_S + 1
    assert replica.may_lead()


def test_what_is_switched_on_one_is_switched_on_all(replica: Replica, clock: Clock, journal: Journal) -> None:
    me = settle(replica, clock)
    replica.hear(replace(me, device="two", switches=(Switch(clock.now + 5, "night"),)).pack())
    assert Telling(journal).mode == "night"
    assert Presence.unpack(replica.say(leaving=False)).switches == (Switch(clock.now + 5, "night"),)


def test_what_is_no_presence_is_refused(replica: Replica) -> None:
    with pytest.raises(Permanent):
        replica.hear(b"hello")


def test_people_see_who_is_there_what_differs_and_what_is_wrong(
    replica: Replica, clock: Clock, connections: Connections
) -> None:
    me = settle(replica, clock)
    status = replica.status()
    assert (status.state, status.detail) == ("degraded", "1 there (one), nobody leads, 16 of 16 shards are ours")
    connections.leads = True
    echo(replica)
    assert replica.status().state == "working"
    assert replica.figures == (1, 16, True)
    replica.hear(replace(me, device="two", cameras="other").pack())
    replica.turn()
    assert replica.status().state == "degraded"
    assert replica.status().detail.endswith("shards are ours; two has other cameras")
    connections.member = False
    replica.turn()
    assert "earlier connection" in replica.status().detail
    clock.now += GHOST_S
    status = replica.status()
    assert (status.ok, status.detail.split(":")[0]) == (False, "same_device_name")
    cut_off = Connections()
    cut_off.connected = False
    replica.follow(connections, cut_off)
    replica.turn()
    assert replica.status() == Status(ok=False, detail="cannot consume its shards: other replicas take the triggers")
    connections.connected = False
    assert replica.status() == Status(ok=False, detail="not connected: other replicas take the triggers")
