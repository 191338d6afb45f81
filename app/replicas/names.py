"""The queues and the exchange that replicas share, and which camera belongs to which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pylib.rabbitmq.topology import Subscription


@dataclass(frozen=True)
class GroupNames:
    """Of one group."""

    app_name: str
    group: str
    shards: int
    queue_type: str = "quorum"

    @property
    def exchange(self) -> str:
        """Over which replicas tell each other that they are there."""
        return f"{self._prefix}.replicas"

    @property
    def lead(self) -> str:
        """The queue that the leader holds."""
        return f"{self._prefix}.leader"

    def inbox(self, device: str) -> str:
        """The queue that this replica holds: what the others say."""
        return f"{self._prefix}.replica.{device}"

    @cached_property
    def queues(self) -> tuple[Subscription, ...]:
        """The shards. What of them cannot be answered lies with the dead letters of the queue that sensors fill."""
        return tuple(
            Subscription(
                queue=f"{self._prefix}.shard.{number}",
                queue_type=self.queue_type,
                one_at_a_time=True,
                dead=f"{self._prefix}.triggers.dead",
            )
            for number in range(self.shards)
        )

    def queue_of(self, camera: str) -> str:
        """The shard of a camera, by its device key: always the same, everywhere."""
        digest = hashlib.sha256(camera.encode()).digest()
        return self.queues[int.from_bytes(digest[:8]) % self.shards].queue

    @property
    def _prefix(self) -> str:
        return f"{self.app_name}.{self.group}"


@lru_cache(maxsize=4)
def owners(queues: tuple[str, ...], devices: tuple[str, ...]) -> Mapping[str, str]:
    """Which of these replicas works on each queue; empty where there are no replicas.

    All that know the same replicas say the same. None has two queues more than another, and when one comes or goes, few
    move beside its own (rendezvous hashing with bounded loads): whoever fits a queue best gets it, unless that one has
    its share.
    """
    share, rest = divmod(len(queues), max(1, len(devices)))
    pairs = [(queue, device) for queue in queues for device in devices]
    found: dict[str, str] = {}
    counts = dict.fromkeys(devices, 0)
    for queue, device in sorted(pairs, key=_fit, reverse=True):
        more = counts[device] == share
        if queue not in found and (counts[device] < share or (more and rest)):
            found[queue] = device
            counts[device] += 1
            rest -= more
    return found


def _fit(pair: tuple[str, str]) -> bytes:
    return hashlib.sha256("\0".join(pair).encode()).digest()
