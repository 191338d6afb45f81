"""Which replicas there are, and who works on what."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from app.replicas.members import CLOCKS_S, SETTLED_S, SILENT_S, Members
from app.replicas.names import GroupNames, owners
from app.replicas.presence import Presence
from tests.fakes.clock import Clock

NAMES = GroupNames("app", "home", 16)
QUEUES = tuple(one.queue for one in NAMES.queues)
ONE = Presence("one", "1.0", 16, "abc", 1000.0)
TWO, THREE = replace(ONE, device="two"), replace(ONE, device="three")


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def members(clock: Clock) -> Members:
    return Members("one", clock=clock, now=lambda: 1000.0)


def settled(members: Members, clock: Clock, *heard: Presence) -> frozenset[str]:
    for presence in heard:
        members.hear(presence)
    clock.now += SETTLED_S
    return members.owned(QUEUES)


def test_a_camera_has_one_shard_whoever_asks_and_all_shards_have_cameras() -> None:
    cameras = [f"Camera {number}" for number in range(400)]
    assert {NAMES.queue_of(camera) for camera in cameras} == set(QUEUES)
    assert NAMES.queue_of("Front Door Camera") == GroupNames("app", "home", 16).queue_of("Front Door Camera")
    # Released: another answer would move cameras while two releases run side by side.
    assert NAMES.queue_of("Front Door Camera") == "app.home.shard.15"


def test_each_queue_has_one_owner_whatever_the_order() -> None:
    one = owners(QUEUES, ("one", "two", "three"))
    assert one == owners(QUEUES, ("three", "one", "two"))
    assert one.keys() == {*QUEUES}
    assert owners(QUEUES, ()) == {}


@pytest.mark.parametrize(("replicas", "shards"), [(2, 16), (3, 16), (4, 16), (5, 64), (8, 16), (20, 16)])
def test_all_have_the_same_number_of_shards_or_one_more_and_few_move_when_one_leaves(
    replicas: int, shards: int
) -> None:
    moved = 0
    for group in map(str, range(20)):
        queues = tuple(one.queue for one in GroupNames("app", group, shards).queues)
        devices = tuple(f"device-{number}" for number in range(replicas))
        before, after = owners(queues, devices), owners(queues, devices[1:])
        counts = Counter([*devices, *before.values()])  # one more for each
        assert max(counts.values()) - min(counts.values()) <= 1
        moved += sum(before[queue] != after[queue] for queue in queues if before[queue] != devices[0])
    assert moved <= 20 * shards / 5


def test_all_replicas_that_hear_the_same_share_all_queues(clock: Clock) -> None:
    owned: list[str] = []
    for name in ("one", "two", "three"):
        owned += settled(Members(name, clock=clock), clock, ONE, TWO, THREE)
    assert sorted(owned) == sorted(QUEUES)


def test_a_replica_takes_nothing_before_the_others_had_time_to_answer(members: Members, clock: Clock) -> None:
    assert members.owned(QUEUES) == frozenset()
    members.hear(ONE)
    assert members.owned(QUEUES) == frozenset()
    clock.now += SETTLED_S
    assert members.owned(QUEUES) == set(QUEUES)


def test_who_is_silent_or_leaves_is_gone_and_who_comes_is_new(members: Members, clock: Clock) -> None:
    assert [members.hear(one) for one in (ONE, TWO, TWO, THREE)] == [True, True, False, True]
    members.hear(replace(THREE, leaving=True))
    assert [one.device for one in members.alive] == ["one", "two"]
    clock.now += SILENT_S
    members.hear(ONE)
    assert len(members.alive) == 2
    clock.now += 0.1
    assert [one.device for one in members.alive] == ["one"]
    assert members.owned(QUEUES) == set(QUEUES)
    assert members.hear(TWO)


def test_a_replica_that_does_not_hear_itself_is_cut_off_and_owns_nothing(members: Members, clock: Clock) -> None:
    assert settled(members, clock, ONE)
    clock.now += SILENT_S
    members.hear(TWO)
    assert (members.counts, members.owned(QUEUES)) == (False, frozenset())
    members.hear(ONE)
    assert members.owned(QUEUES) == frozenset()  # as after a start
    clock.now += SETTLED_S
    assert members.owned(QUEUES)


def test_who_cannot_consume_or_has_other_shards_gets_none_of_ours(members: Members, clock: Clock) -> None:
    others = (replace(TWO, ready=False), replace(THREE, shards=32))
    assert settled(members, clock, ONE, *others) == set(QUEUES)


def test_the_leader_is_who_says_so(members: Members) -> None:
    members.hear(ONE)
    assert members.leader == ""
    members.hear(replace(TWO, leads=True))
    assert members.leader == "two"


def test_what_is_not_as_here_is_said(members: Members) -> None:
    assert members.differences() == []
    members.hear(ONE)
    members.hear(replace(TWO, at=1000.0 + CLOCKS_S))
    assert members.differences() == []
    members.hear(replace(TWO, shards=32, cameras="other", release="2.0", at=1030.0))
    members.hear(replace(THREE, at=990.0))
    assert members.differences() == [
        "the clock of three is 10 s behind",
        "two has REPLICAS_SHARDS 32, not 16",
        "two has other cameras",
        "two runs release 2.0, not 1.0",
        "the clock of two is 30 s ahead",
    ]
