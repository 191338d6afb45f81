"""The queues and the exchange that replicas share, and which camera belongs to which."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

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


def owner(queue: str, devices: Collection[str]) -> str:
    """Which of these replicas works on a queue; empty where there are none.

    All that know the same replicas say the same, and when one comes or goes, only queues of its own move (rendezvous
    hashing).
    """
    return max(devices, key=lambda device: hashlib.sha256(f"{queue}\0{device}".encode()).digest(), default="")
