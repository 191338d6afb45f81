"""Builds what makes this service one of several replicas."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from app.bootstrap.core import Core
from app.bootstrap.relays import Relays
from app.config.settings import Settings
from app.messages import Trigger, encode
from app.replicas.forward import Forward, Front, shard_decoder
from app.replicas.names import GroupNames
from app.replicas.replica import Replica
from app.sources import RABBITMQ, rabbitmq
from pylib.rabbitmq.broker import Broker
from pylib.rabbitmq.group import Group
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.runtime.threads import ManagedThread

FORWARDS = "inproc://forwards"
"""Where triggers of all other sources go."""
PREFETCH = 64
"""Messages of a shard in hand: as many have to be done before it moves to another replica."""
HEARTBEAT_S = 6
"""Of these connections, unless the setting is less: the broker frees the shards of one that is cut off after two to
three of them, and all cameras answer again within 30 s on a busy machine too."""


def names_of(settings: Settings) -> GroupNames:
    """The queues of these settings' group."""
    own = settings.replicas
    return GroupNames(settings.app_name, own.group, own.shards, settings.rabbitmq.queue_type)


def broker_of(settings: Settings) -> Broker:
    """The broker of the group."""
    broker = settings.rabbitmq.broker
    return dataclasses.replace(broker, heartbeat=min(broker.heartbeat, HEARTBEAT_S))


class ReplicaParts:
    """The source of this replica's shards, its place in the group, and what passes triggers on to shards."""

    def __init__(
        self,
        core: Core,
        *,
        cameras: dict[str, str],
        triggers: str,
    ) -> None:
        """`cameras`: device key -> label of all that triggers may name; `triggers`: where those of our shards go."""
        settings = core.settings
        names, broker = names_of(settings), broker_of(settings)
        decode = rabbitmq.decoder(cameras)
        self._core = core
        self._names = names
        self.publisher = ConfirmedPublisher("forwarder", broker)
        front = rabbitmq.subscription(settings.rabbitmq, app_name=settings.app_name, group=settings.replicas.group)
        self.thread = self.listener = ZMQListener(
            "shards",
            broker,
            names.queues,
            context=core.transport.context,
            address=triggers,
            decode=shard_decoder(decode),
            encode=encode,
            on_malformed=lambda failure: core.tally.trigger(RABBITMQ, failure.code),
            prefetch=min(settings.rabbitmq.prefetch, PREFETCH),
            shared=True,
        )
        self.replica = Replica(
            names,
            device=settings.device_name,
            release=core.version,
            cameras=cameras,
            telling=core.telling,
            place=Front(names, decode=decode).place,
            refused=lambda failure: core.tally.trigger(RABBITMQ, failure.code),
        )
        self._group = Group(
            "group",
            broker,
            self.replica,
            exchange=names.exchange,
            inbox=names.inbox(settings.device_name),
            lead=names.lead,
            front=front,
        )
        self.replica.follow(self._group, self.listener)
        core.work.replica = self.replica
        core.health.add("replicas", self.replica.status, critical=False, alarm=True)
        core.metrics.replicas(lambda: self.replica.figures)

    def acknowledge(self, receipt: str) -> None:
        """Acknowledge it to the broker; done by the listener's thread."""
        self.listener.acknowledge(receipt)

    def threads(self, relays: Relays, acknowledge: Callable[[Trigger], None]) -> list[ManagedThread]:
        """What passes triggers on; `publisher` ends after it. `acknowledge`: tells the source that brought one."""
        forward = Forward(self.publisher.publish, self._names, journal=self._core.journal, acknowledge=acknowledge)
        return [self._group, relays.stage("forward", forward, source=FORWARDS)]
