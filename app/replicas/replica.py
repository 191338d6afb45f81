"""What this service is among its replicas: which shards it works on, and whether it leads."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import structlog

from app.replicas.members import Members
from app.replicas.names import GroupNames
from app.replicas.presence import Presence
from app.rules.telling import Telling
from pylib.errors import Failure
from pylib.observability.health import State, Status
from pylib.rabbitmq.delivery import Delivery
from pylib.rabbitmq.pipeline import Message

log = structlog.get_logger(__name__)

GHOST_S = 30.0
"""Seconds for which the broker may keep a connection that was lost, and the name with it."""
CODES = {
    "same_device_name": (
        "Another replica has this DEVICE_NAME.",
        "give each replica a DEVICE_NAME of its own; until then this one takes no triggers",
    ),
}
"""Code -> what happened, and what to do about it."""


class Membership(Protocol):
    """Of `pylib.rabbitmq.group.Group`."""

    @property
    def connected(self) -> bool: ...

    @property
    def member(self) -> bool: ...

    @property
    def leads(self) -> bool: ...


class Consumer(Protocol):
    """Of `pylib.rabbitmq.listener.ZMQListener`."""

    @property
    def connected(self) -> bool: ...

    def consume(self, queues: Collection[str]) -> None: ...


class Replica:
    """One of several; a part of the group. `follow` it before the group's thread starts."""

    def __init__(
        self,
        names: GroupNames,
        *,
        device: str,
        release: str,
        cameras: Iterable[str],
        telling: Telling,
        place: Callable[[Delivery], Message],
        refused: Callable[[Failure], None],
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        members: Members | None = None,
    ) -> None:
        """`cameras`: device keys; `place` and `refused`: see `pylib.rabbitmq.group.Part`."""
        self.place = place
        self.refused = refused
        self.members = members or Members(device)
        self._names = names
        self._device = device
        self._release = release
        self._cameras = hashlib.sha256("\0".join(sorted(cameras)).encode()).hexdigest()[:16]
        self._telling = telling
        self._now = now
        self._clock = clock
        self._lock = threading.RLock()
        self._queues = [one.queue for one in names.queues]
        self._owned: frozenset[str] = frozenset()
        self._group: Membership | None = None
        self._consumer: Consumer | None = None
        self._ready = False
        self._nameless: float | None = None

    def follow(self, group: Membership, consumer: Consumer) -> None:
        """`consumer`: told which queues are this replica's, whenever they change."""
        self._group = group
        self._consumer = consumer

    @property
    def leads(self) -> bool:
        with self._lock:
            return self._group is not None and self._group.leads and self.members.counts

    @property
    def owned(self) -> frozenset[str]:
        """The queues that are ours."""
        return self._owned

    def owns(self, camera: str) -> bool:
        """Whether its shard is ours, and the broker carries what we say."""
        with self._lock:
            return self._names.queue_of(camera) in self._owned and self.members.counts

    # -- a part of the group: in its thread --------------------------------------------------------

    def say(self, *, leaving: bool) -> bytes:
        """That we are there, and what was switched."""
        try:
            switches = self._telling.switches
        except Failure:  # the disk: others know of it
            switches = ()
        leads = self._group is not None and self._group.leads
        return Presence(
            device=self._device,
            release=self._release,
            shards=self._names.shards,
            cameras=self._cameras,
            at=self._now(),
            ready=self._ready,
            leads=leads and not leaving,
            leaving=leaving,
            switches=switches,
        ).pack()

    def hear(self, said: bytes) -> bool:
        """Raises `Failure`."""
        presence = Presence.unpack(said)
        with self._lock:
            new = self.members.hear(presence)
        if presence.device == self._device:
            return False
        if new or presence.leaving:
            log.info("a replica has left" if presence.leaving else "a replica is there", replica=presence.device)
        self._telling.adopt(presence.switches)
        return new or presence.leaving

    def turn(self) -> bool:
        """Take the shards that are ours now; returns whether there is something to say."""
        with self._lock:
            owned = self.members.owned(self._queues)
        group = self._group
        named = group is None or group.member
        self._nameless = None if named else self._nameless or self._clock()
        if owned != self._owned:
            log.info("shards of this replica", shards=len(owned), of=len(self._queues))
            self._owned = owned
            if self._consumer is not None:
                self._consumer.consume(owned)
        was, self._ready = self._ready, self._consumer is not None and self._consumer.connected
        return was != self._ready

    def may_lead(self) -> bool:
        """Nobody else says that it leads."""
        with self._lock:
            return self.members.leader in ("", self._device)

    # -- for people -------------------------------------------------------------------------------

    def status(self) -> Status:
        """Which replicas there are, who leads, what is ours, and what is not as it should be."""
        group = self._group
        if group is None or not group.connected:
            return Status(ok=False, detail="not connected: other replicas take the triggers")
        if not self._ready:
            return Status(ok=False, detail="cannot consume its shards: other replicas take the triggers")
        if self._nameless is not None:
            if self._clock() - self._nameless < GHOST_S:
                return Status(ok=True, detail="waits for its name: an earlier connection has it", state="degraded")
            return Status(ok=False, detail=f"same_device_name: another replica calls itself {self._device!r}")
        with self._lock:
            alive, leader, differences = self.members.alive, self.members.leader, self.members.differences()
        names, leading = ", ".join(one.device for one in alive) or "none heard yet", leader or "nobody"
        own, every = len(self._owned), len(self._queues)
        standing = f"{len(alive)} there ({names}), {leading} leads, {own} of {every} shards are ours"
        state: State = "degraded" if differences or not leader else "working"
        return Status(ok=True, detail="; ".join([standing, *differences]), state=state)

    @property
    def figures(self) -> tuple[int, int, bool]:
        """Replicas that were heard lately, shards that are ours, whether we lead."""
        with self._lock:
            return len(self.members.alive), len(self._owned), self.leads


class Work:
    """What of the work is this service's: all of it, unless it is one of several replicas. From any thread."""

    def __init__(self) -> None:
        self.replica: Replica | None = None

    @property
    def leads(self) -> bool:
        """Whether it does what is to be done once, by whichever replica."""
        return self.replica is None or self.replica.leads

    def owns(self, camera: str) -> bool:
        """Whether it asks this camera, by its device key."""
        return self.replica is None or self.replica.owns(camera)
