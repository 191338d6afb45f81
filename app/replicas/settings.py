"""The settings of replicas."""

from __future__ import annotations

from pydantic import Field

from pylib.settings.fields import Section


class ReplicaSettings(Section):
    """Several services that share the triggers of one RabbitMQ."""

    group: str = Field(
        default="",
        max_length=50,
        pattern="^[A-Za-z0-9._-]*$",
        description="The name that the replicas share; empty for a service that works alone. With the word of"
        " `RABBITMQ_DEVICE_TOPIC`, a service that worked alone keeps its queue.",
    )
    shards: int = Field(
        default=16,
        ge=1,
        le=256,
        description="Queues that the cameras are spread over, each of which one replica works on; the same for all"
        " replicas.",
    )
